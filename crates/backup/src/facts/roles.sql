-- The roles that a restore of this session's database needs: by name, with what they are there for.
--
-- pg_shdepend knows them all but the one that initdb made, which it takes for granted.
WITH used (role, purpose) AS (
    SELECT refobjid, deptype::text
    FROM pg_catalog.pg_shdepend
    WHERE refclassid = 'pg_catalog.pg_authid'::regclass
        AND deptype IN ('o', 'a', 'r', 'i')
        AND (
            dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
            OR classid = 'pg_catalog.pg_database'::regclass
            AND objid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        )
    UNION ALL
    SELECT relowner, 'o' FROM pg_catalog.pg_class WHERE oid >= 16384
    UNION ALL
    SELECT proowner, 'o' FROM pg_catalog.pg_proc WHERE oid >= 16384
    UNION ALL
    SELECT typowner, 'o' FROM pg_catalog.pg_type WHERE oid >= 16384
    UNION ALL
    SELECT nspowner, 'o' FROM pg_catalog.pg_namespace WHERE oid >= 16384
    UNION ALL
    SELECT datdba, 'o' FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
)

SELECT
    r.rolname::text AS name,
    pg_catalog.bool_or(u.purpose = 'o') AS owns,
    pg_catalog.bool_or(u.purpose IN ('a', 'i')) AS has_privileges,
    pg_catalog.bool_or(u.purpose = 'r') AS has_policies
FROM used AS u
JOIN pg_catalog.pg_roles AS r ON r.oid = u.role
GROUP BY r.rolname
ORDER BY r.rolname COLLATE pg_catalog."C";
