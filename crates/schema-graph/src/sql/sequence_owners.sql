-- Which column a sequence belongs to: apart from the sequence, which the column's default needs first.
SELECT 'pg_sequence'::regclass::oid AS class, c.oid AS object, 0 AS sub,
       'sequence owner' AS kind, n.nspname::text AS schema, NULL::text AS on_table, c.relname::text AS name,
       format('ALTER SEQUENCE %I.%I OWNED BY %s.%I', n.nspname, c.relname, d.refobjid::regclass, a.attname)
           AS definition,
       NULL AS shape,
       format('ALTER SEQUENCE %I.%I OWNED BY NONE', n.nspname, c.relname) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts,
       d.refobjid AS column_object, d.refobjsubid AS column_sub
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
    AND d.refclassid = 'pg_class'::regclass
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
