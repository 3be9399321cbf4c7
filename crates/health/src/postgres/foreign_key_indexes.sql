-- Foreign keys whose columns no index begins with, and the size of the table that has to be read whenever a row goes that it
-- refers to.
SELECT format('%I.%I', n.nspname, t.relname) AS name,
       c.conname::text AS key,
       (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY k.place)
        FROM unnest(c.conkey) WITH ORDINALITY k (number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS columns,
       t.relpages * 8192.0::float8 AS bytes
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE c.contype = 'f'
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_index i
      WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL
        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
  )
