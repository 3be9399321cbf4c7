-- Row-level security policies.
SELECT 'pg_policy'::regclass::oid AS class, p.oid AS object, 0 AS sub,
       'policy' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, p.polname::text AS name,
       concat(
           format('CREATE POLICY %I ON %I.%I', p.polname, n.nspname, c.relname),
           CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
           CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE'
                         WHEN 'd' THEN ' FOR DELETE' END,
           -- Role 0 is PUBLIC, which is the default.
           ' TO ' || (SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname)
                      FROM pg_roles r WHERE r.oid = ANY (p.polroles)),
           ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
           ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
       ) AS definition,
       NULL AS shape,
       format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, c.relname) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
