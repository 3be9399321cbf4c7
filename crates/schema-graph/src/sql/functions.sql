-- Functions, procedures and window functions, by the types of their arguments. The parts are what CREATE OR REPLACE
-- cannot change, then the number of defaults, and what tells which other objects a body in quotes may use.
SELECT 'pg_proc'::regclass::oid AS class, p.oid AS object, 0 AS sub,
       'function' AS kind, n.nspname::text AS schema, NULL::text AS on_table,
       format('%s(%s)', p.proname, oidvectortypes(p.proargtypes)) AS name,
       rtrim(pg_get_functiondef(p.oid), E'\n') AS definition,
       NULL AS shape,
       format('DROP %s %I.%I(%s)', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, n.nspname, p.proname,
              pg_get_function_identity_arguments(p.oid)) AS removal,
       NULL::text[] AS attributes,
       ARRAY[
           concat_ws(' ', p.prokind, pg_get_function_result(p.oid), array_to_string(p.proargnames, ',', '*'),
                     array_to_string(p.proargmodes, ',')),
           p.pronargdefaults::text,
           CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE '' END
       ] AS parts
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p', 'w')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i')
  )
