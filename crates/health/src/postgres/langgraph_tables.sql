-- The schema with LangGraph's tables, if there is one, and which of its indexes are there and valid.
SELECT quote_ident(n.nspname) AS schema,
       has_table_privilege(c.oid, 'SELECT') AS is_seen,
       ARRAY(
           SELECT wanted FROM unnest(ARRAY[
               'checkpoints_thread_id_idx', 'checkpoint_blobs_thread_id_idx', 'checkpoint_writes_thread_id_idx'
           ]) wanted
           WHERE NOT EXISTS (
               SELECT FROM pg_catalog.pg_class x
               JOIN pg_catalog.pg_index i ON i.indexrelid = x.oid AND i.indisvalid
               WHERE x.relnamespace = n.oid AND x.relname = wanted
           )
       ) AS missing
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'checkpoint_migrations' AND c.relkind = 'r'
  AND EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.relname = 'checkpoint_writes' AND o.relnamespace = n.oid)
ORDER BY n.nspname = 'public' DESC, n.nspname
LIMIT 1
