-- What the database of this session holds that a new one does not: at most four things, and how many there are.
-- Extensions do not count, nor what belongs to them: a restore leaves those that are there as they are.
WITH object (classid, objid, kind, name) AS (
    SELECT
        'pg_class'::regclass,
        c.oid,
        CASE c.relkind
            WHEN 'r' THEN 'table'
            WHEN 'p' THEN 'table'
            WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view'
            WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table'
            ELSE 'type'
        END,
        pg_catalog.format('%I.%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND n.nspname !~ '^pg_(toast|temp_)'
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, 'function', oid::regprocedure::text
    FROM pg_catalog.pg_proc
    UNION ALL
    -- Types that stand for themselves: domains, enums, ranges, base types.
    SELECT 'pg_type'::regclass, oid, 'type', pg_catalog.format_type(oid, NULL)
    FROM pg_catalog.pg_type
    WHERE typtype <> 'c' AND typelem = 0
    UNION ALL
    SELECT 'pg_namespace'::regclass, oid, 'schema', pg_catalog.quote_ident(nspname)
    FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_(toast|temp_)' AND nspname <> 'public'
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, 'large object', oid::text
    FROM pg_catalog.pg_largeobject_metadata
    UNION ALL
    SELECT 'pg_operator'::regclass, oid, 'operator', oid::regoperator::text
    FROM pg_catalog.pg_operator
    UNION ALL
    SELECT 'pg_collation'::regclass, oid, 'collation', pg_catalog.quote_ident(collname)
    FROM pg_catalog.pg_collation
    UNION ALL
    SELECT 'pg_conversion'::regclass, oid, 'conversion', pg_catalog.quote_ident(conname)
    FROM pg_catalog.pg_conversion
    UNION ALL
    SELECT 'pg_ts_config'::regclass, oid, 'text search configuration', pg_catalog.quote_ident(cfgname)
    FROM pg_catalog.pg_ts_config
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, oid, 'text search dictionary', pg_catalog.quote_ident(dictname)
    FROM pg_catalog.pg_ts_dict
    UNION ALL
    SELECT 'pg_cast'::regclass, oid, 'cast', pg_catalog.format_type(castsource, NULL)
    FROM pg_catalog.pg_cast
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, 'event trigger', pg_catalog.quote_ident(evtname)
    FROM pg_catalog.pg_event_trigger
    UNION ALL
    SELECT 'pg_publication'::regclass, oid, 'publication', pg_catalog.quote_ident(pubname)
    FROM pg_catalog.pg_publication
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, oid, 'foreign data wrapper', pg_catalog.quote_ident(fdwname)
    FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, oid, 'server', pg_catalog.quote_ident(srvname)
    FROM pg_catalog.pg_foreign_server
)

SELECT kind || ' ' || name AS object, count(*) OVER () AS total
FROM object
-- What initdb made has an oid below 16384; those of large objects are for anyone to choose.
WHERE (objid >= 16384 OR kind = 'large object')
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS e
        WHERE e.classid = object.classid AND e.objid = object.objid AND e.deptype = 'e'
    )
ORDER BY kind <> 'table', kind, name
LIMIT 4;
