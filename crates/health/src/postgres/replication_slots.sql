-- How much WAL each slot keeps from being removed.
SELECT slot_name::text AS name, active, coalesce(wal_status, '') = 'lost' AS is_lost,
       coalesce(pg_wal_lsn_diff(
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn
       ), 0)::float8 AS bytes
FROM pg_catalog.pg_replication_slots
WHERE NOT temporary
