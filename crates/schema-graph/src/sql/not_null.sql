-- NOT NULL where it is no constraint: of columns before PostgreSQL 18, of domains before 17. Here it has the name that it
-- would get later, from a parent where it has one, so that an older server can be compared with a newer one.
SELECT 'pg_attribute'::regclass::oid AS class, a.attrelid AS object, a.attnum::int AS sub,
       'not null' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, a.attname::text AS name,
       format('ALTER %s ALTER COLUMN %I SET NOT NULL', target, a.attname) AS definition,
       '' AS shape,
       format('ALTER %s ALTER COLUMN %I DROP NOT NULL', target, a.attname) AS removal,
       ARRAY['name', usual, NULL, NULL, 'inline', 'no inherit', 'false', NULL, NULL, 'inline'] AS attributes,
       ARRAY['n', quote_ident(usual), format('NOT NULL %I', a.attname), target] AS parts,
       NULL::text AS refers_to_schema, NULL::text AS refers_to_table,
       a.attrelid AS column_object, ARRAY[a.attnum::int] AS column_subs,
       oldest.relname IS NOT NULL AS is_inherited,
       NULL::oid AS of_parent
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    WITH RECURSIVE above AS (
        SELECT i.inhparent, 1 AS height FROM pg_inherits i WHERE i.inhrelid = a.attrelid
        UNION ALL
        SELECT i.inhparent, above.height + 1 FROM above JOIN pg_inherits i ON i.inhrelid = above.inhparent
    )
    SELECT pc.relname
    FROM above
    JOIN pg_class pc ON pc.oid = above.inhparent
    JOIN pg_attribute pa ON pa.attrelid = pc.oid AND pa.attname = a.attname AND pa.attnotnull
    ORDER BY above.height DESC
    LIMIT 1
) oldest ON true
CROSS JOIN LATERAL (
    SELECT format('%s %I.%I', CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, n.nspname, c.relname)
               AS target,
           format('%s_%s_not_null', coalesce(oldest.relname, c.relname), a.attname) AS usual
) names
WHERE current_setting('server_version_num')::int < 180000
  AND a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p', 'f')
  AND c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
UNION ALL
SELECT 'pg_type'::regclass, t.oid, 1, 'domain constraint', n.nspname, t.typname, usual,
       format('ALTER %s ADD CONSTRAINT %I NOT NULL', target, usual), 'NOT NULL', format('ALTER %s DROP NOT NULL', target),
       '{}', ARRAY['n', quote_ident(usual), 'NOT NULL', target], NULL, NULL, NULL, NULL, false, t.oid
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL (
    SELECT format('DOMAIN %I.%I', n.nspname, t.typname) AS target, format('%s_not_null', t.typname) AS usual
) names
WHERE current_setting('server_version_num')::int < 170000
  AND t.typtype = 'd' AND t.typnotnull
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_extension'::regclass
        AND d.deptype = 'e'
  )
