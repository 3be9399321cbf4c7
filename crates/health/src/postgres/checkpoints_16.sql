-- The same in PostgreSQL 16 and earlier.
SELECT checkpoints_timed::float8 AS timed, checkpoints_req::float8 AS requested,
       extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time()))::float8 AS seconds
FROM pg_catalog.pg_stat_bgwriter
