-- Prepared transactions of this database: nobody is connected to them, and they hold their locks over restarts.
SELECT gid, owner::text AS role, extract(epoch FROM clock_timestamp() - prepared)::float8 AS seconds
FROM pg_catalog.pg_prepared_xacts
WHERE database = current_database()
