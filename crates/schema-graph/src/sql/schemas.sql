-- Schemas that are neither the system's nor an extension's. `public` is one of them, though it comes with the server.
SELECT 'pg_namespace'::regclass::oid AS class, n.oid AS object, 0 AS sub,
       'schema' AS kind, n.nspname::text AS schema, NULL::text AS on_table, n.nspname::text AS name,
       format('CREATE SCHEMA %I', n.nspname) AS definition,
       '' AS shape,
       format('DROP SCHEMA %I', n.nspname) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts
FROM pg_namespace n
WHERE (n.oid >= 16384 OR n.nspname = 'public')
  AND n.nspname NOT IN ('information_schema', 'dbops')
  AND n.nspname !~ '^pg_'
  AND n.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_namespace'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
