-- Constraints of tables and domains: keys, CHECK, EXCLUDE, and since PostgreSQL 18 NOT NULL. Where a foreign key refers
-- to a partitioned table, what it has for each partition is left out.
SELECT 'pg_constraint'::regclass::oid AS class, k.oid AS object, 0 AS sub,
       CASE WHEN k.contypid <> 0 THEN 'domain constraint' WHEN k.contype = 'n' THEN 'not null' ELSE 'constraint' END
           AS kind,
       n.nspname::text AS schema, coalesce(c.relname, t.typname)::text AS on_table,
       CASE WHEN k.contype = 'n' AND k.contypid = 0 THEN a.attname ELSE k.conname END::text AS name,
       format('ALTER %s ADD CONSTRAINT %I %s', target, k.conname, clause) AS definition,
       CASE WHEN k.contype = 'n' AND k.contypid = 0 THEN ''
            WHEN k.convalidated THEN clause
            ELSE regexp_replace(clause, ' NOT VALID$', '') END AS shape,
       CASE WHEN k.contype = 'n' AND k.contypid = 0
            THEN format('ALTER %s ALTER COLUMN %I DROP NOT NULL', target, a.attname)
            WHEN k.contype = 'n' THEN format('ALTER %s DROP NOT NULL', target)
            ELSE format('ALTER %s DROP CONSTRAINT %I', target, k.conname) END AS removal,
       CASE WHEN NOT k.convalidated AND clause ~ ' NOT VALID$' THEN ARRAY[
           'not valid', 'true', NULL, format('ALTER %s VALIDATE CONSTRAINT %I', target, k.conname), 'inline'
       ] ELSE '{}'::text[] END
       || CASE WHEN k.contype = 'n' AND k.contypid = 0 THEN ARRAY[
           'name', k.conname::text, NULL, NULL, 'inline',
           'no inherit', k.connoinherit::text,
           format('ALTER %s ALTER CONSTRAINT %I %sINHERIT', target, k.conname, CASE WHEN k.connoinherit THEN 'NO ' END),
           NULL, 'inline'
       ] ELSE '{}'::text[] END
       || CASE WHEN x.indisclustered THEN ARRAY[
           'clustered', 'true', format('ALTER %s CLUSTER ON %I', target, k.conname),
           format('ALTER %s SET WITHOUT CLUSTER', target), NULL
       ] ELSE '{}'::text[] END
       || CASE WHEN x.indisreplident THEN ARRAY[
           'replica identity', 'true', format('ALTER %s REPLICA IDENTITY USING INDEX %I', target, k.conname),
           format('ALTER %s REPLICA IDENTITY DEFAULT', target), NULL
       ] ELSE '{}'::text[] END AS attributes,
       ARRAY[k.contype::text, quote_ident(k.conname), clause, target] AS parts,
       rn.nspname::text AS refers_to_schema,
       r.relname::text AS refers_to_table,
       CASE WHEN k.contype IN ('p', 'n') THEN k.conrelid END AS column_object,
       CASE WHEN k.contype IN ('p', 'n') THEN k.conkey::int[] END AS column_subs,
       NOT k.conislocal OR k.conparentid <> 0 AS is_inherited,
       nullif(k.conparentid, 0) AS of_parent
FROM pg_constraint k
LEFT JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
LEFT JOIN pg_attribute a ON a.attrelid = CASE k.contype WHEN 'n' THEN k.conrelid END AND a.attnum = k.conkey[1]
LEFT JOIN pg_class r ON r.oid = k.confrelid
LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
LEFT JOIN pg_index x ON x.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
-- OFFSET 0 has it computed once for all places. A column's NOT NULL is most of them, and needs no look at the catalogs.
CROSS JOIN LATERAL (
    SELECT CASE WHEN a.attname IS NOT NULL AND k.convalidated
                THEN format('NOT NULL %I%s', a.attname, CASE WHEN k.connoinherit THEN ' NO INHERIT' END)
                ELSE pg_get_constraintdef(k.oid) END AS clause
    OFFSET 0
) clauses
CROSS JOIN LATERAL (
    SELECT format('%s %I.%I', CASE WHEN k.contypid <> 0 THEN 'DOMAIN' WHEN c.relkind = 'f' THEN 'FOREIGN TABLE'
                                   ELSE 'TABLE' END, n.nspname, coalesce(c.relname, t.typname)) AS target
    OFFSET 0
) targets
WHERE k.contype IN ('p', 'u', 'x', 'f', 'c', 'n')
  AND (k.conparentid = 0
       OR NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid))
  AND coalesce(c.relname, t.typname) <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND coalesce(c.oid, 0) NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
  AND coalesce(t.oid, 0) NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_type'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
