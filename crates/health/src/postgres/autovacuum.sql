-- Tables whose dead rows are more than autovacuum waits for, by how much. What a table sets itself counts.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       s.n_dead_tup::float8 AS dead,
       s.n_dead_tup / (
           coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
           + coalesce(o.scale, current_setting('autovacuum_vacuum_scale_factor')::float8) * greatest(c.reltuples, 0)
       ) AS times,
       coalesce(extract(epoch FROM clock_timestamp() - greatest(s.last_autovacuum, s.last_vacuum)), -1)::float8 AS seconds
FROM pg_catalog.pg_stat_user_tables s
JOIN pg_catalog.pg_class c ON c.oid = s.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold')::float8 AS threshold,
           max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor')::float8 AS scale
    FROM pg_options_to_table(c.reloptions)
) o ON c.reloptions IS NOT NULL
WHERE s.n_dead_tup > 10000
ORDER BY times DESC
LIMIT 100
