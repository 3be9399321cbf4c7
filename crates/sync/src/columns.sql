-- The columns of a table or view: their types (of a domain, what it is made of), and where pgvector's type is.
SELECT
    c.oid,
    c.relkind::text AS kind,
    a.attname::text AS name,
    b.typname::text AS type,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS shown,
    (
        SELECT n.nspname::text
        FROM pg_catalog.pg_type AS v
        JOIN pg_catalog.pg_namespace AS n ON n.oid = v.typnamespace
        JOIN pg_catalog.pg_depend AS d
            ON d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = v.oid AND d.deptype = 'e'
        JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'vector'
        WHERE v.typname = 'vector'
    ) AS vector_schema
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type AS b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY a.attnum
