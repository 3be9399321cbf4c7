-- How far each sequence has got; null before the first value and where it may not be read. Those of extensions are left
-- out, and on a standby all of them: an unlogged one cannot be read there.
SELECT
    n.nspname::text AS "schema",
    c.relname::text AS name,
    CASE
        WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_catalog.pg_sequence_last_value(c.oid)
    END AS value
FROM pg_catalog.pg_sequence AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't'
    AND NOT pg_catalog.pg_is_in_recovery()
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY n.nspname COLLATE pg_catalog."C", c.relname COLLATE pg_catalog."C";
