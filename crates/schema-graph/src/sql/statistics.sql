-- Extended statistics.
SELECT 'pg_statistic_ext'::regclass::oid AS class, s.oid AS object, 0 AS sub,
       'statistics' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, s.stxname::text AS name,
       pg_get_statisticsobjdef(s.oid) AS definition,
       NULL AS shape,
       format('DROP STATISTICS %I.%I', n.nspname, s.stxname) AS removal,
       CASE WHEN s.stxstattarget >= 0 THEN ARRAY[
           'target', s.stxstattarget::text,
           format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, s.stxstattarget),
           format('ALTER STATISTICS %I.%I SET STATISTICS -1', n.nspname, s.stxname), NULL
       ] END AS attributes,
       NULL::text[] AS parts
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace
JOIN pg_class c ON c.oid = s.stxrelid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND s.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_statistic_ext'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
