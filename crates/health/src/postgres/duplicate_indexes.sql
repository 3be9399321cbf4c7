-- Indexes that are like another one of the same table in all but the name. What enforces more is kept: a primary key, then
-- a unique index, then the older one.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       format('%I.%I', n.nspname, k.kept) AS kept,
       pg_relation_size(k.indexrelid)::float8 AS bytes,
       EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = k.indexrelid AND contype IN ('p', 'u', 'x')) AS enforces
FROM (
    SELECT i.indexrelid,
           first_value(c.relname) OVER alike AS kept,
           row_number() OVER alike AS place
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indisvalid AND i.indexrelid >= 16384
    WINDOW alike AS (
        PARTITION BY i.indrelid, c.relam, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
                     coalesce(i.indexprs::text, ''), coalesce(i.indpred::text, ''), i.indnkeyatts
        ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indexrelid
    )
) k
JOIN pg_catalog.pg_class c ON c.oid = k.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.place > 1
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
