-- What the user may do where it would create tables, and how many tables it cannot read.
SELECT pg_catalog.current_schema()::text AS schema,
       coalesce(pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'USAGE'), false) AS may_use,
       coalesce(pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'CREATE'), false) AS may_create,
       pg_catalog.pg_is_in_recovery() AS is_standby,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c
         WHERE c.relnamespace = pg_catalog.current_schema()::regnamespace AND c.relkind IN ('r', 'p')
           AND c.relname <> 'alembic_version') AS tables,
       (SELECT pg_catalog.min(c.relname::text) FROM pg_catalog.pg_class c
         WHERE c.relnamespace = pg_catalog.current_schema()::regnamespace AND c.relkind IN ('r', 'p')
           AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS unreadable
