-- Aggregates.
SELECT 'pg_proc'::regclass::oid AS class, p.oid AS object, 0 AS sub,
       'aggregate' AS kind, n.nspname::text AS schema, NULL::text AS on_table,
       format('%s(%s)', p.proname, oidvectortypes(p.proargtypes)) AS name,
       format('CREATE AGGREGATE %s (%s)', target, concat_ws(
           ', ',
           'SFUNC = ' || g.aggtransfn::regproc, 'STYPE = ' || format_type(g.aggtranstype, NULL),
           'SSPACE = ' || nullif(g.aggtransspace, 0),
           'FINALFUNC = ' || nullif(g.aggfinalfn, 0)::oid::regproc, CASE WHEN g.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
           CASE WHEN g.aggfinalfn <> 0 AND g.aggfinalmodify <> CASE g.aggkind WHEN 'n' THEN 'r'::"char" ELSE 'w' END
                THEN 'FINALFUNC_MODIFY = ' || modes.list[position(g.aggfinalmodify::text IN 'rsw')] END,
           'COMBINEFUNC = ' || nullif(g.aggcombinefn, 0)::oid::regproc, 'SERIALFUNC = ' || nullif(g.aggserialfn, 0)::oid::regproc,
           'DESERIALFUNC = ' || nullif(g.aggdeserialfn, 0)::oid::regproc, 'INITCOND = ' || quote_literal(g.agginitval),
           'MSFUNC = ' || nullif(g.aggmtransfn, 0)::oid::regproc, 'MINVFUNC = ' || nullif(g.aggminvtransfn, 0)::oid::regproc,
           'MSTYPE = ' || format_type(nullif(g.aggmtranstype, 0), NULL), 'MSSPACE = ' || nullif(g.aggmtransspace, 0),
           'MFINALFUNC = ' || nullif(g.aggmfinalfn, 0)::oid::regproc, CASE WHEN g.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
           CASE WHEN g.aggmfinalfn <> 0 AND g.aggmfinalmodify <> CASE g.aggkind WHEN 'n' THEN 'r'::"char" ELSE 'w' END
                THEN 'MFINALFUNC_MODIFY = ' || modes.list[position(g.aggmfinalmodify::text IN 'rsw')] END,
           'MINITCOND = ' || quote_literal(g.aggminitval),
           CASE WHEN g.aggsortop <> 0 THEN format('SORTOP = OPERATOR(%I.%s)', os.nspname, o.oprname) END,
           CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END,
           CASE WHEN g.aggkind = 'h' THEN 'HYPOTHETICAL' END
       )) AS definition,
       NULL AS shape,
       format('DROP AGGREGATE %s', target) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts
FROM pg_aggregate g
JOIN pg_proc p ON p.oid = g.aggfnoid
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_operator o ON o.oid = g.aggsortop
LEFT JOIN pg_namespace os ON os.oid = o.oprnamespace
CROSS JOIN LATERAL (
    SELECT format('%I.%I(%s)', n.nspname, p.proname,
                  coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*')) AS target
) targets
CROSS JOIN (SELECT ARRAY['READ_ONLY', 'SHAREABLE', 'READ_WRITE'] AS list) modes
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND p.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
