-- Collations.
SELECT 'pg_collation'::regclass::oid AS class, k.oid AS object, 0 AS sub,
       'collation' AS kind, n.nspname::text AS schema, NULL::text AS on_table, k.collname::text AS name,
       format('CREATE COLLATION %I.%I (%s)', n.nspname, k.collname, concat_ws(
           ', ',
           'PROVIDER = ' || CASE k.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
           CASE WHEN NOT k.collisdeterministic THEN 'DETERMINISTIC = false' END,
           'LOCALE = ' || quote_literal(coalesce(
               to_jsonb(k) ->> 'colllocale', to_jsonb(k) ->> 'colliculocale',
               CASE WHEN k.collcollate = k.collctype THEN k.collcollate END
           )),
           CASE WHEN k.collcollate <> k.collctype
                THEN format('LC_COLLATE = %L, LC_CTYPE = %L', k.collcollate, k.collctype) END,
           'RULES = ' || quote_literal(to_jsonb(k) ->> 'collicurules')
       )) AS definition,
       NULL AS shape,
       format('DROP COLLATION %I.%I', n.nspname, k.collname) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts
FROM pg_collation k
JOIN pg_namespace n ON n.oid = k.collnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND k.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_collation'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
