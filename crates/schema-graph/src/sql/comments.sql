-- Comments. Objects below 16384 come with the server, but for the schema `public`; an extension's own comment comes
-- with the version that is installed.
SELECT d.classoid AS class, d.objoid AS object, d.objsubid AS sub,
       d.description AS value,
       format('COMMENT ON %s IS %L', what.target, d.description) AS set,
       format('COMMENT ON %s IS NULL', what.target) AS reset
FROM (
    SELECT * FROM pg_description
    WHERE objoid >= 16384 OR (classoid = 'pg_namespace'::regclass AND description <> 'standard public schema')
    OFFSET 0
) d
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN i.type = 'domain constraint' THEN 'CONSTRAINT ' || regexp_replace(i.identity, '^(.*) on (.*)$', '\1 ON DOMAIN \2')
        -- "table column" and "table constraint" are COLUMN and CONSTRAINT in COMMENT ON.
        WHEN i.type ~ ' (column|constraint)$' THEN upper(regexp_replace(i.type, '^.* ', '')) || ' ' || i.identity
        WHEN i.type = 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER ' || i.identity
        WHEN i.type = 'statistics object' THEN 'STATISTICS ' || i.identity
        WHEN i.type = 'aggregate' THEN 'AGGREGATE ' || regexp_replace(i.identity, '\(\)$', '(*)')
        ELSE upper(i.type) || ' ' || i.identity
    END AS target
) what
WHERE (d.objoid >= 16384 OR i.name = 'public')
  AND NOT (d.classoid = 'pg_extension'::regclass)
  AND NOT EXISTS (
      SELECT FROM pg_depend e
      WHERE e.deptype = 'e' AND e.classid = d.classoid AND e.objid = d.objoid
  )
