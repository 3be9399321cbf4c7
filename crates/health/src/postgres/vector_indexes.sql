-- pgvector's indexes with their size, and what the server is told that can be cached.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       a.amname::text AS method,
       pg_relation_size(c.oid)::float8 AS bytes,
       m.memory
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_am a ON a.oid = c.relam AND a.amname IN ('hnsw', 'ivfflat')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (
    SELECT max(setting::float8 * 8192) AS memory
    FROM pg_catalog.pg_settings WHERE name IN ('shared_buffers', 'effective_cache_size')
) m
WHERE c.relkind = 'i'
