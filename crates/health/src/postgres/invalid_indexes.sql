-- Indexes that queries do not use because building them failed, unless one is being built just now.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       format('%I.%I', n.nspname, t.relname) AS table_name,
       c.relname ~ '_cc(new|old)[0-9]*$' AS is_leftover
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
  AND c.relkind = 'i'
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_locks l
      WHERE l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted AND l.locktype = 'relation'
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  )
ORDER BY 1
