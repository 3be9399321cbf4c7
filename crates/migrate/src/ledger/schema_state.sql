-- When the schema was recorded that can be compared with the present one; no row when none can be: another tool moved
-- the revisions since, one is unfinished, the database was restored (which gives every object another id), or the
-- server is of another major version. $1 is the version table, $2 are its rows.
SELECT recorded
FROM dbops.schema_state
WHERE layout = 1
  AND own_id = 'dbops.schema_state'::regclass
  AND server = current_setting('server_version_num')::int4 / 10000
  AND (version_table <> $1 OR revisions = $2)
  AND NOT EXISTS (SELECT FROM dbops.migration_unfinished WHERE version_table = $1)
