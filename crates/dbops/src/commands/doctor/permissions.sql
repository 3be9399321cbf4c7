-- What the user may do in the schema $1, where it would create tables, and how many tables there it cannot read.
SELECT coalesce(has_schema_privilege($1::text, 'USAGE'), false) AS may_use,
       coalesce(has_schema_privilege($1::text, 'CREATE'), false) AS may_create,
       pg_is_in_recovery() AS is_standby,
       count(c.oid) FILTER (WHERE c.relname <> 'alembic_version') AS tables,
       min(c.relname::text) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')) AS unreadable
  FROM pg_namespace n
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
 WHERE n.nspname = $1
