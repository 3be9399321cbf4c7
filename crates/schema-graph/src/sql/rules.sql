-- Rewrite rules, except those that make a view what it is.
SELECT 'pg_rewrite'::regclass::oid AS class, r.oid AS object, 0 AS sub,
       'rule' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, r.rulename::text AS name,
       rtrim(pg_get_ruledef(r.oid), ';') AS definition,
       NULL AS shape,
       format('DROP RULE %I ON %I.%I', r.rulename, n.nspname, c.relname) AS removal,
       CASE WHEN r.ev_enabled <> 'O' THEN ARRAY[
           'enabled', r.ev_enabled::text,
           format('ALTER TABLE %I.%I %s RULE %I', n.nspname, c.relname,
                  CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END,
                  r.rulename),
           format('ALTER TABLE %I.%I ENABLE RULE %I', n.nspname, c.relname, r.rulename), NULL
       ] END AS attributes,
       NULL::text[] AS parts
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN'
  AND c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
