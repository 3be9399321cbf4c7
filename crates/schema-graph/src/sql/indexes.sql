-- Indexes, except those that a constraint brings along and those that a partition has from its parent.
SELECT 'pg_class'::regclass::oid AS class, i.oid AS object, 0 AS sub,
       'index' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, i.relname::text AS name,
       regexp_replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ')
           || coalesce(' TABLESPACE ' || quote_ident(ts.spcname), '')
           -- What CREATE INDEX CONCURRENTLY leaves behind when it fails: it costs every write and serves no query.
           || CASE WHEN x.indisvalid THEN '' ELSE ' -- invalid' END AS definition,
       NULL AS shape,
       format('DROP INDEX %I.%I', n.nspname, i.relname) AS removal,
       CASE WHEN x.indisclustered THEN ARRAY[
           'clustered', 'true', format('ALTER TABLE %I.%I CLUSTER ON %I', n.nspname, c.relname, i.relname),
           format('ALTER TABLE %I.%I SET WITHOUT CLUSTER', n.nspname, c.relname), NULL
       ] ELSE '{}'::text[] END
       || CASE WHEN x.indisreplident THEN ARRAY[
           'replica identity', 'true',
           format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I', n.nspname, c.relname, i.relname),
           format('ALTER TABLE %I.%I REPLICA IDENTITY DEFAULT', n.nspname, c.relname), NULL
       ] ELSE '{}'::text[] END
       || coalesce((
           SELECT array_agg(item ORDER BY a.attnum, number)
           FROM pg_attribute a
           CROSS JOIN LATERAL unnest(ARRAY[
               format('statistics %s', a.attnum), a.attstattarget::text,
               format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s', n.nspname, i.relname, a.attnum,
                      a.attstattarget),
               format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS -1', n.nspname, i.relname, a.attnum), NULL
           ]) WITH ORDINALITY AS l (item, number)
           WHERE a.attrelid = i.oid AND a.attstattarget >= 0
       ), '{}') AS attributes,
       NULL::text[] AS parts
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_tablespace ts ON ts.oid = i.reltablespace
WHERE NOT i.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
  AND c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
