-- Extensions; those that every new database has are below 16384, the first object id that is given out afterwards.
SELECT 'pg_extension'::regclass::oid AS class, e.oid AS object, 0 AS sub,
       'extension' AS kind, '' AS schema, NULL::text AS on_table, e.extname::text AS name,
       format('CREATE EXTENSION %I WITH SCHEMA %I', e.extname, n.nspname) AS definition,
       '' AS shape,
       format('DROP EXTENSION %I', e.extname) AS removal,
       ARRAY[
           'schema', n.nspname::text, format('ALTER EXTENSION %I SET SCHEMA %I', e.extname, n.nspname), NULL, 'inline',
           'version', e.extversion, format('ALTER EXTENSION %I UPDATE TO %L', e.extname, e.extversion), NULL, 'inline'
       ] AS attributes,
       ARRAY[e.extversion] AS parts
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.oid >= 16384
