-- The tables that hold rows of their own, each with the expression that stands for one row in its fingerprint.
--
-- Partitioned tables hold none, foreign tables and materialized views none that a dump carries, and what belongs to an
-- extension is the extension's. Generated columns follow from the others.
--
-- Two databases with the same rows have to come to the same value, whatever the oids of their types and the versions of
-- their collations. So a column is taken as it is only where PostgreSQL's own hash goes by the value alone; otherwise
-- its type's binary form stands for it, where that is much cheaper to make, or its text. They are made by the type's own
-- functions and not by a cast: a cast may run what any user wrote.
WITH RECURSIVE base (oid, base) AS (
    SELECT oid, oid
    FROM pg_catalog.pg_type
    WHERE typtype <> 'd'
    UNION ALL
    SELECT d.oid, b.base
    FROM base AS b
    JOIN pg_catalog.pg_type AS d ON d.typbasetype = b.oid AND d.typtype = 'd'
),

-- The hash of what has 64 bits folds them to 32. Of arrays, those whose binary form names an element's type by an oid
-- that is the same everywhere.
by_binary (oid) AS (
    SELECT oid
    FROM pg_catalog.pg_type
    WHERE oid = ANY (ARRAY['int8', 'time', 'timestamp', 'timestamptz']::regtype[])
    UNION ALL
    SELECT t.oid
    FROM pg_catalog.pg_type AS t
    WHERE t.typsend = 'pg_catalog.array_send'::regproc
        AND t.typelem = ANY (ARRAY[
            'bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'uuid', 'text', 'varchar', 'date', 'timestamp',
            'timestamptz'
        ]::regtype[])
    UNION ALL
    SELECT t.oid
    FROM pg_catalog.pg_type AS t
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid
    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass
        AND d.deptype = 'e'
        AND e.extname = 'vector'
        AND t.typname IN ('vector', 'halfvec', 'sparsevec')
),

part (attrelid, attnum, expression) AS (
    SELECT
        a.attrelid,
        a.attnum,
        CASE
            WHEN t.oid = ANY (ARRAY[
                'bool', 'int2', 'int4', 'oid', 'float4', 'float8', 'uuid', 'bytea', 'date'
            ]::regtype[]) THEN pg_catalog.quote_ident(a.attname)
            WHEN t.oid = ANY (ARRAY['text', 'varchar', 'bpchar']::regtype[])
                THEN pg_catalog.format('%I COLLATE pg_catalog."C"', a.attname)
            WHEN t.oid IN (SELECT oid FROM by_binary)
                THEN pg_catalog.format('%I.%I(%I)', sn.nspname, s.proname, a.attname)
            ELSE pg_catalog.format('pg_catalog.textin(%I.%I(%I)) COLLATE pg_catalog."C"', n.nspname, o.proname, a.attname)
        END
    FROM pg_catalog.pg_attribute AS a
    JOIN base ON base.oid = a.atttypid
    JOIN pg_catalog.pg_type AS t ON t.oid = base.base
    JOIN pg_catalog.pg_proc AS o ON o.oid = t.typoutput
    JOIN pg_catalog.pg_namespace AS n ON n.oid = o.pronamespace
    LEFT JOIN pg_catalog.pg_proc AS s ON s.oid = t.typsend
    LEFT JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.pronamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
)

SELECT
    n.nspname::text AS "schema",
    c.relname::text AS name,
    c.oid,
    -- The server's estimate: the true size would need a lock on every table.
    greatest(c.relpages + coalesce(toast.relpages, 0), 0)::int8 * pg_catalog.current_setting('block_size')::int8 AS bytes,
    (
        SELECT 'ROW(' || coalesce(pg_catalog.string_agg(expression, ', ' ORDER BY attnum), '') || ')'
        FROM part
        WHERE attrelid = c.oid
    ) AS expression
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = c.reltoastrelid
WHERE c.relkind = 'r'
    AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY n.nspname COLLATE pg_catalog."C", c.relname COLLATE pg_catalog."C";
