-- What ALTER DATABASE SET and ALTER ROLE IN DATABASE SET say of this session's database: the archive leaves it out.
SELECT r.rolname::text AS role, s.setconfig AS settings
FROM pg_catalog.pg_db_role_setting AS s
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND s.setconfig IS NOT NULL
ORDER BY r.rolname COLLATE pg_catalog."C" NULLS FIRST;
