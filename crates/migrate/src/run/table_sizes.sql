-- Tables and materialized views with their size in bytes and their rows as of the last ANALYZE.
SELECT
    c.oid,
    pg_catalog.format('%I.%I', n.nspname, c.relname),
    pg_catalog.pg_total_relation_size(c.oid),
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
    AND n.nspname NOT LIKE 'pg\_toast%'
    AND n.nspname NOT LIKE 'pg\_temp\_%'
