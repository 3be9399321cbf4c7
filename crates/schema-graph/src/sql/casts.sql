-- Casts.
SELECT 'pg_cast'::regclass::oid AS class, k.oid AS object, 0 AS sub,
       'cast' AS kind, '' AS schema, NULL::text AS on_table,
       format('%s AS %s', k.castsource::regtype, k.casttarget::regtype) AS name,
       concat(format('CREATE CAST (%s AS %s) ', k.castsource::regtype, k.casttarget::regtype),
              CASE k.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || k.castfunc::regprocedure
                                WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
              CASE k.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END) AS definition,
       NULL AS shape,
       format('DROP CAST (%s AS %s)', k.castsource::regtype, k.casttarget::regtype) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts
FROM pg_cast k
WHERE k.oid >= 16384
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_cast'::regclass AND d.objid = k.oid AND d.deptype IN ('e', 'i')
  )
