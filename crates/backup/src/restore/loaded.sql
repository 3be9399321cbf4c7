-- The rows that sessions of this database are loading right now, and how many each has sent. A table whose transaction
-- is not over yet has no name for other sessions.
SELECT n.nspname || '.' || c.relname AS name, p.tuples_processed AS rows
FROM pg_catalog.pg_stat_progress_copy AS p
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = p.relid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND p.command = 'COPY FROM'
