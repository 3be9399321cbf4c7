-- On a primary: how far each standby is behind. On a standby: how old the last change is that it shows, unless it has
-- shown all that came.
SELECT coalesce(nullif(application_name, ''), client_addr::text, 'a standby') AS name,
       coalesce(extract(epoch FROM replay_lag), 0)::float8 AS seconds,
       coalesce(pg_wal_lsn_diff(sent_lsn, replay_lsn), 0)::float8 AS bytes
FROM pg_catalog.pg_stat_replication
UNION ALL
SELECT 'this standby',
       CASE WHEN pg_last_wal_receive_lsn() IS NOT DISTINCT FROM pg_last_wal_replay_lsn() THEN 0
            ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) END::float8,
       coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::float8
WHERE pg_is_in_recovery()
