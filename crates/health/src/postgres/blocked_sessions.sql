-- Sessions of this database that wait for a lock, and those that hold it or stand before them.
SELECT a.pid,
       coalesce(a.usename::text, '') AS role,
       extract(epoch FROM clock_timestamp() - coalesce(l.since, a.query_start))::float8 AS seconds,
       b.pid AS blocker,
       coalesce(b.usename::text, '') AS blocker_role,
       coalesce(b.state, 'a background process') AS blocker_state
FROM pg_catalog.pg_stat_activity a
LEFT JOIN LATERAL (SELECT min(waitstart) AS since FROM pg_catalog.pg_locks WHERE pid = a.pid AND NOT granted) l ON true
LEFT JOIN LATERAL (
    SELECT * FROM pg_catalog.pg_stat_activity WHERE pid = ANY (pg_blocking_pids(a.pid)) ORDER BY xact_start LIMIT 1
) b ON true
WHERE a.datname = current_database()
  AND a.wait_event_type = 'Lock'
LIMIT 100
