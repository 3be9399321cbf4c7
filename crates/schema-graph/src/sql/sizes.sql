-- How big tables, materialized views and indexes are; those of that name, all when it is NULL. A partitioned one is as
-- big as its partitions. What has never been analyzed has an unknown number of rows.
SELECT n.nspname::text AS schema, c.relname::text AS name,
       c.relkind IN ('i', 'I') AS is_index,
       sums.total::bigint AS total, sums.indexes::bigint AS indexes, sums.toast::bigint AS toast,
       CASE WHEN sums.is_analyzed THEN sums.rows::bigint END AS rows
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index x ON x.indexrelid = c.oid
LEFT JOIN pg_class t ON t.oid = x.indrelid
CROSS JOIN LATERAL (
    SELECT sum(pg_total_relation_size(part.oid)) AS total,
           sum(pg_indexes_size(part.oid)) AS indexes,
           coalesce(sum(pg_total_relation_size(nullif(part.reltoastrelid, 0))), 0) AS toast,
           sum(part.reltuples) AS rows,
           bool_and(part.reltuples >= 0) AS is_analyzed
    -- The function gives nothing for a materialized view.
    FROM (SELECT c.oid WHERE c.relkind IN ('r', 'm', 'i')
          UNION ALL
          SELECT tree.relid FROM pg_partition_tree(c.oid) tree WHERE c.relkind IN ('p', 'I') AND tree.isleaf) parts
    JOIN pg_class part ON part.oid = parts.oid AND part.relkind IN ('r', 'm', 'i')
) sums
WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I')
  AND ($1::text IS NULL OR coalesce(t.relname, c.relname) = $1)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND sums.total IS NOT NULL
