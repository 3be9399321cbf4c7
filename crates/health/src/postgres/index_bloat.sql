-- B-trees of at least $1 pages, and about how many bytes their entries would need: the average width of their columns as
-- ANALYZE saw it, 8 bytes of header and 4 of line pointer, in pages that are filled to 90 %. Equal keys share an entry
-- since PostgreSQL 13, so that an index may need less; it is never said to need more.
SELECT c.oid::int8 AS oid, format('%I.%I', n.nspname, c.relname) AS name,
       c.relpages * 8192.0::float8 AS bytes,
       c.reltuples * (12 + ceil(coalesce(w.width, 0) / 8) * 8) / (8152 * 0.9) * 8192 AS needed,
       w.columns > 0 AS is_seen
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am a ON a.oid = c.relam AND a.amname = 'btree'
CROSS JOIN LATERAL (
    SELECT sum((1 - s.null_frac) * s.avg_width)::float8 AS width, count(*) AS columns
    FROM pg_catalog.pg_attribute k
    JOIN pg_catalog.pg_stats s
        ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = k.attname AND NOT s.inherited
    WHERE k.attrelid = t.oid AND k.attnum = ANY (i.indkey)
) w
WHERE c.relkind = 'i' AND c.relpages >= $1 AND c.reltuples > 0 AND i.indexprs IS NULL
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
