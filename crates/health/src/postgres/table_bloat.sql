-- Tables of at least $1 pages, and about how many bytes their rows would need: the average width of the columns as ANALYZE
-- saw it, 24 bytes of header and 4 of line pointer. pg_stats shows only what the role may read.
SELECT c.oid::int8 AS oid, format('%I.%I', n.nspname, c.relname) AS name,
       c.relpages * 8192.0::float8 AS bytes,
       c.reltuples * (28 + ceil(coalesce(w.width, 0) / 8) * 8) / (8168 * coalesce(f.fillfactor, 100) / 100) * 8192 AS needed,
       w.columns > 0 AS is_seen
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT sum((1 - s.null_frac) * s.avg_width)::float8 AS width, count(*) AS columns
    FROM pg_catalog.pg_stats s
    WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
) w
LEFT JOIN LATERAL (
    SELECT max(option_value)::float8 AS fillfactor FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'
) f ON true
WHERE c.relkind IN ('r', 'm') AND c.relpages >= $1 AND c.reltuples > 0
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
