-- Checkpoints of PostgreSQL 17 and later: those that time called for, and those that came because so much was written.
SELECT num_timed::float8 AS timed, num_requested::float8 AS requested,
       extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time()))::float8 AS seconds
FROM pg_catalog.pg_stat_checkpointer
