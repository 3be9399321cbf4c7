-- Defaults of columns, also of views. A generated column's expression stands with the column. A partition's or child's
-- that is its parent's too is inherited.
SELECT 'pg_attrdef'::regclass::oid AS class, e.oid AS object, 0 AS sub,
       'default' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, a.attname::text AS name,
       format('ALTER %s %I.%I ALTER COLUMN %I SET DEFAULT %s', word, n.nspname, c.relname, a.attname, value)
           AS definition,
       NULL AS shape,
       format('ALTER %s %I.%I ALTER COLUMN %I DROP DEFAULT', word, n.nspname, c.relname, a.attname) AS removal,
       NULL::text[] AS attributes,
       ARRAY[value] AS parts,
       NOT a.attislocal AND EXISTS (
           SELECT FROM pg_inherits i
           JOIN pg_attribute pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname
           JOIN pg_attrdef pe ON pe.adrelid = pa.attrelid AND pe.adnum = pa.attnum
           WHERE i.inhrelid = a.attrelid AND pg_get_expr(pe.adbin, pe.adrelid) = value
       ) AS is_inherited,
       NULL::oid AS of_parent
FROM pg_attrdef e
JOIN pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_get_expr(e.adbin, e.adrelid) value
CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS word) w
WHERE a.attgenerated = ''
  AND c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
