-- What the server counted for this database, and since when: at least since its start.
SELECT blks_hit::float8 AS hit, blks_read::float8 AS read,
       temp_files::float8 AS temporary_files, temp_bytes::float8 AS temporary_bytes,
       deadlocks::float8 AS deadlocks,
       extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time()))::float8 AS seconds
FROM pg_catalog.pg_stat_database
WHERE datname = current_database()
