-- The collations whose rules the system changed since the database, or the collation, was made: indexes over text may be in
-- the wrong order. Of the many that initdb brings only those that something uses.
SELECT format('database %I', datname) AS name,
       format('ALTER DATABASE %I REFRESH COLLATION VERSION', datname) AS refresh,
       datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual
FROM pg_catalog.pg_database
WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid)
UNION ALL
SELECT format('collation %I.%I', n.nspname, c.collname),
       format('ALTER COLLATION %I.%I REFRESH VERSION', n.nspname, c.collname),
       c.collversion, pg_collation_actual_version(c.oid)
FROM pg_catalog.pg_collation c
JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
WHERE c.collversion IS NOT NULL
  AND (c.oid >= 16384 OR EXISTS (
      SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid
  ))
  AND c.collversion <> pg_collation_actual_version(c.oid)
