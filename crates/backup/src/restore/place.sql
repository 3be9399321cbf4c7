-- What database $1 is besides its contents, as statements that make $2 the same: its owner, who may do what with it, its
-- comment. A dump leaves that out.
WITH d AS (
    SELECT *, pg_catalog.pg_get_userbyid(datdba) AS owner
    FROM pg_catalog.pg_database
    WHERE datname = $1::text
)

SELECT pg_catalog.format('ALTER DATABASE %I OWNER TO %I', $2::text, owner) AS statement, 1 AS turn FROM d
UNION ALL
SELECT pg_catalog.format('ALTER DATABASE %I CONNECTION LIMIT %s', $2::text, datconnlimit), 2 FROM d WHERE datconnlimit >= 0
UNION ALL
SELECT pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', $2::text, owner), 3 FROM d WHERE datacl IS NOT NULL
UNION ALL
SELECT
    pg_catalog.format(
        'GRANT %s ON DATABASE %I TO %s%s',
        a.privilege_type,
        $2::text,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END
    ),
    4
FROM d, pg_catalog.aclexplode(d.datacl) AS a
UNION ALL
SELECT
    pg_catalog.format('COMMENT ON DATABASE %I IS %L', $2::text, pg_catalog.shobj_description(oid, 'pg_database')),
    5
FROM d
WHERE pg_catalog.shobj_description(oid, 'pg_database') IS NOT NULL
ORDER BY turn;
