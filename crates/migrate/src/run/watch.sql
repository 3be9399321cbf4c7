-- What the session has done in its transaction: the locks that it holds, the file of each table and the rows changed
-- in it, and the indexes and constraints that are not valid now.
SELECT 'lock', l.relation::text, l.mode, ''
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_database AS d ON d.oid = l.database
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.relation IS NOT NULL
    AND d.datname = pg_catalog.current_database()
UNION ALL
SELECT
    'table',
    c.oid::text,
    pg_catalog.pg_relation_filenode(c.oid)::text,
    (
        pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
        + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
    )::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
    AND n.nspname NOT LIKE 'pg\_toast%'
    AND n.nspname NOT LIKE 'pg\_temp\_%'
UNION ALL
SELECT 'invalid', pg_catalog.format('index %I.%I', n.nspname, c.relname), '', ''
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
UNION ALL
-- One that is NOT ENFORCED (PostgreSQL 18) is never validated.
SELECT 'invalid', pg_catalog.format('constraint %I on %I.%I', o.conname, n.nspname, c.relname), '', ''
FROM pg_catalog.pg_constraint AS o
JOIN pg_catalog.pg_class AS c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT o.convalidated
    AND coalesce((pg_catalog.to_jsonb(o) ->> 'conenforced')::boolean, true)
