-- Who owns what. A sequence that belongs to a column is its table's owner's.
SELECT o.class, o.object, 0 AS sub, 'owner' AS name,
       r.rolname::text AS value,
       format('ALTER %s OWNER TO %I', what.target, r.rolname) AS set,
       NULL AS reset
FROM (
    SELECT 'pg_class'::regclass::oid AS class, c.oid AS object, c.relowner AS owner
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'
                        AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
    UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace
    UNION ALL SELECT 'pg_type'::regclass, oid, typowner FROM pg_type WHERE typtype IN ('e', 'd', 'c', 'r')
    UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner FROM pg_opfamily
    UNION ALL SELECT 'pg_collation'::regclass, oid, collowner FROM pg_collation
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner FROM pg_statistic_ext
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner FROM pg_ts_config
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner FROM pg_foreign_server
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner FROM pg_event_trigger
    UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner FROM pg_publication
) o
JOIN pg_roles r ON r.oid = o.owner
CROSS JOIN LATERAL pg_identify_object(o.class, o.object, 0) i
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN i.type = 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER ' || i.identity
        WHEN i.type = 'statistics object' THEN 'STATISTICS ' || i.identity
        WHEN i.type = 'aggregate' THEN 'AGGREGATE ' || regexp_replace(i.identity, '\(\)$', '(*)')
        ELSE upper(i.type) || ' ' || i.identity
    END AS target
) what
WHERE (o.object >= 16384 OR (o.class = 'pg_namespace'::regclass AND i.name = 'public'))
  -- A table's row type is not owned apart from it.
  AND NOT (o.class = 'pg_type'::regclass AND EXISTS (
      SELECT FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE t.oid = o.object AND c.relkind <> 'c'))
