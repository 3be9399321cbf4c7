-- What a manifest says about the database of this session.
-- Columns of pg_database that older servers lack are read through JSON and are null there.
SELECT
    pg_catalog.current_setting('server_version_num')::int4 AS server_version,
    pg_catalog.now() AS "time",
    CASE
        WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
        ELSE pg_catalog.pg_current_wal_lsn()
    END::text AS lsn,
    pg_catalog.pg_is_in_recovery() AS is_standby,
    pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
    coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
    d.datcollate::text AS "collate",
    d.datctype::text AS ctype,
    coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS locale,
    (
        SELECT count(*)
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p')
            AND n.nspname !~ '^pg_'
            AND n.nspname <> 'information_schema'
            AND NOT EXISTS (
                SELECT
                FROM pg_catalog.pg_depend AS e
                WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
            )
    ) AS tables,
    (
        SELECT coalesce(pg_catalog.jsonb_object_agg(extname, extversion), '{}')
        FROM pg_catalog.pg_extension
    ) AS extensions
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database();
