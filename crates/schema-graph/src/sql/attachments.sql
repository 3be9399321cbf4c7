-- Which table is a partition, or a child by inheritance, of which other one.
SELECT 'pg_inherits'::regclass::oid AS class, i.inhrelid AS object, i.inhseqno AS sub,
       'parent' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, i.inhparent::regclass::text AS name,
       CASE WHEN c.relispartition
            THEN format('ALTER TABLE ONLY %s ATTACH PARTITION %I.%I %s', i.inhparent::regclass, n.nspname, c.relname,
                        pg_get_expr(c.relpartbound, c.oid))
            ELSE format('ALTER TABLE %I.%I INHERIT %s', n.nspname, c.relname, i.inhparent::regclass) END AS definition,
       NULL AS shape,
       CASE WHEN c.relispartition
            THEN format('ALTER TABLE ONLY %s DETACH PARTITION %I.%I', i.inhparent::regclass, n.nspname, c.relname)
            ELSE format('ALTER TABLE %I.%I NO INHERIT %s', n.nspname, c.relname, i.inhparent::regclass) END AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts,
       i.inhparent AS parent
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
