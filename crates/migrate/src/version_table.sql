-- The schema that holds alembic_version, else the one in which an unqualified CREATE TABLE would put it; and whether
-- the table is there. It is looked for along the search path, where others may have made operators.
SELECT
    coalesce(found.nspname, pg_catalog.current_schema(), 'public') AS schema,
    found.nspname IS NOT NULL AS exists
FROM (SELECT pg_catalog.to_regclass('alembic_version') AS oid) AS named
LEFT JOIN LATERAL (
    SELECT n.nspname
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE c.oid OPERATOR(pg_catalog.=) named.oid
) AS found ON true
