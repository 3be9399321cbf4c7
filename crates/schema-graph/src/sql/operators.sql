-- Operators.
SELECT 'pg_operator'::regclass::oid AS class, o.oid AS object, 0 AS sub,
       'operator' AS kind, n.nspname::text AS schema, NULL::text AS on_table,
       concat(o.oprname, '(', coalesce(nullif(o.oprleft, 0)::regtype::text, 'NONE'), ',',
              coalesce(nullif(o.oprright, 0)::regtype::text, 'NONE'), ')') AS name,
       format('CREATE OPERATOR %I.%s (%s)', n.nspname, o.oprname, concat_ws(
           ', ', 'FUNCTION = ' || o.oprcode::regproc, 'LEFTARG = ' || nullif(o.oprleft, 0)::regtype,
           'RIGHTARG = ' || nullif(o.oprright, 0)::regtype,
           (SELECT format('COMMUTATOR = OPERATOR(%I.%s)', cn.nspname, c.oprname)
            FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace WHERE c.oid = o.oprcom),
           (SELECT format('NEGATOR = OPERATOR(%I.%s)', cn.nspname, c.oprname)
            FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace WHERE c.oid = o.oprnegate),
           'RESTRICT = ' || nullif(o.oprrest, 0)::oid::regproc, 'JOIN = ' || nullif(o.oprjoin, 0)::oid::regproc,
           CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END
       )) AS definition,
       NULL AS shape,
       format('DROP OPERATOR %I.%s (%s, %s)', n.nspname, o.oprname, coalesce(nullif(o.oprleft, 0)::regtype::text, 'NONE'),
              coalesce(nullif(o.oprright, 0)::regtype::text, 'NONE')) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE o.oprcode <> 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND o.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_operator'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
