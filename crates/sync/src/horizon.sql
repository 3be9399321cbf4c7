-- When the oldest transaction began whose changes may not be seen yet, as far as this user is told; else now.
SELECT least(
    now(),
    (
        SELECT min(xact_start)
        FROM pg_catalog.pg_stat_activity
        WHERE datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
            AND pid <> pg_catalog.pg_backend_pid()
    ),
    (SELECT min(prepared) FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database())
)::text
