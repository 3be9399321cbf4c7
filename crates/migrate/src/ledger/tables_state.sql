-- Whether the tables are there, and whether this role may use them.
SELECT
    pg_catalog.count(*) = 2 AS exist,
    coalesce(
        pg_catalog.bool_and(
            pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
            AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
        ),
        false
    ) AS usable
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'dbops' AND c.relname IN ('migration_log', 'migration_unfinished')
