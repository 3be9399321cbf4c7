-- Transactions of this database, the longest first. They hold locks, and vacuum removes nothing that is newer.
SELECT a.pid,
       coalesce(a.usename::text, '') AS role,
       coalesce(a.application_name, '') AS application,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds
FROM pg_catalog.pg_stat_activity a
WHERE a.datname = current_database()
  AND a.backend_type = 'client backend'
  AND a.xact_start IS NOT NULL
  AND a.state IS DISTINCT FROM 'idle in transaction' AND a.state IS DISTINCT FROM 'idle in transaction (aborted)'
  AND a.pid <> pg_backend_pid()
ORDER BY a.xact_start
LIMIT 100
