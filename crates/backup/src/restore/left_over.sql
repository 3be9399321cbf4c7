-- Databases with names as $1 that nobody works at. A lock of two numbers has them in classid and objid, and
-- objsubid = 2; pg_locks shows those of every database.
SELECT d.datname::text
FROM pg_catalog.pg_database AS d
WHERE d.datname ~ $1
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a WHERE a.datname = d.datname)
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_locks AS l
      WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = 1684172656
        AND l.objid = pg_catalog.hashtext(d.datname::text)::pg_catalog.oid
  )
ORDER BY 1
