-- Indexes that no query used in the time that the statistics cover, and that enforce nothing. Statistics that were never
-- reset are at least as old as the server's start.
SELECT format('%I.%I', s.schemaname, s.indexrelname) AS name,
       pg_relation_size(s.indexrelid)::float8 AS bytes,
       to_char(a.since, 'YYYY-MM-DD') AS since
FROM pg_catalog.pg_stat_user_indexes s
JOIN pg_catalog.pg_index i ON i.indexrelid = s.indexrelid
CROSS JOIN (
    SELECT coalesce(stats_reset, pg_postmaster_start_time()) AS since
    FROM pg_catalog.pg_stat_database WHERE datname = current_database()
) a
WHERE s.idx_scan = 0
  AND i.indisvalid AND NOT i.indisunique AND NOT i.indisexclusion AND NOT i.indisreplident AND NOT i.indisclustered
  AND clock_timestamp() - a.since >= make_interval(secs => $1)
