-- Triggers, except those that a constraint brings along and those that a partition has from its parent.
SELECT 'pg_trigger'::regclass::oid AS class, t.oid AS object, 0 AS sub,
       'trigger' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, t.tgname::text AS name,
       pg_get_triggerdef(t.oid) AS definition,
       NULL AS shape,
       format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname) AS removal,
       CASE WHEN t.tgenabled <> 'O' THEN ARRAY[
           'enabled', t.tgenabled::text,
           format('ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, c.relname,
                  CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END,
                  t.tgname),
           format('ALTER TABLE %I.%I ENABLE TRIGGER %I', n.nspname, c.relname, t.tgname), NULL
       ] END AS attributes,
       ARRAY[(t.tgconstraint <> 0)::text] AS parts
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal
  AND t.tgparentid = 0
  AND c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
  AND t.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_trigger'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
