-- Sessions, and how many there may be: of the server, of this database, and of this role. pg_stat_database tells its
-- numbers to everyone.
SELECT (SELECT sum(numbackends) FROM pg_catalog.pg_stat_database)::float8 AS used,
       current_setting('max_connections')::float8 - current_setting('superuser_reserved_connections')::float8
       - coalesce(current_setting('reserved_connections', true), '0')::float8 AS available,
       s.numbackends::float8 AS used_here,
       CASE WHEN d.datconnlimit > 0 THEN d.datconnlimit END::float8 AS available_here
FROM pg_catalog.pg_database d
JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
WHERE d.datname = current_database()
