-- The table of a batch: how many of the key's columns it has, whether all are NOT NULL, whether a valid index begins
-- with them in this order, and how many rows it has as of the last ANALYZE (NULL before the first).
WITH wanted AS (
    SELECT pg_catalog.to_regclass($TABLE)::pg_catalog.oid AS oid
),
named AS (
    SELECT a.attnum, a.attnotnull, key.place
    FROM pg_catalog.unnest($KEY) WITH ORDINALITY AS key (name, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attname = key.name AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attrelid = (SELECT oid FROM wanted)
)
SELECT
    (SELECT pg_catalog.count(*) FROM named),
    (SELECT pg_catalog.bool_and(attnotnull) FROM named),
    EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid
            AND i.indisvalid
            AND i.indpred IS NULL
            AND (pg_catalog.string_to_array(i.indkey::text, ' ')::int[])[1:pg_catalog.cardinality($KEY)]
                = (SELECT pg_catalog.array_agg(attnum::int ORDER BY place) FROM named)
    ),
    CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint END
FROM pg_catalog.pg_class AS c
WHERE c.oid = (SELECT oid FROM wanted)
