-- Operator families and classes. A family that bears its class's name and access method came with the class.
SELECT 'pg_opclass'::regclass::oid AS class, o.oid AS object, 0 AS sub,
       'operator class' AS kind, n.nspname::text AS schema, NULL::text AS on_table,
       format('%s USING %s', o.opcname, m.amname) AS name,
       format('CREATE OPERATOR CLASS %I.%I%s FOR TYPE %s USING %I FAMILY %I.%I AS %s', n.nspname, o.opcname,
              CASE WHEN o.opcdefault THEN ' DEFAULT' END, o.opcintype::regtype, m.amname, fn.nspname, f.opfname,
              concat_ws(', ', members.list, 'STORAGE ' || nullif(o.opckeytype, 0)::regtype)) AS definition,
       NULL AS shape,
       format('DROP OPERATOR CLASS %I.%I USING %I', n.nspname, o.opcname, m.amname) AS removal,
       NULL::text[] AS attributes,
       NULL::text[] AS parts
FROM pg_opclass o
JOIN pg_am m ON m.oid = o.opcmethod
JOIN pg_namespace n ON n.oid = o.opcnamespace
JOIN pg_opfamily f ON f.oid = o.opcfamily
JOIN pg_namespace fn ON fn.oid = f.opfnamespace
CROSS JOIN LATERAL (
    SELECT string_agg(text, ', ' ORDER BY sort, number) AS list
    FROM (
        SELECT 1 AS sort, a.amopstrategy AS number,
               format('OPERATOR %s %s', a.amopstrategy, a.amopopr::regoperator)
                   || CASE WHEN s.oid IS NULL THEN '' ELSE format(' FOR ORDER BY %I.%I', sn.nspname, s.opfname) END AS text
        FROM pg_amop a
        LEFT JOIN pg_opfamily s ON s.oid = a.amopsortfamily
        LEFT JOIN pg_namespace sn ON sn.oid = s.opfnamespace
        WHERE EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_amop'::regclass AND d.objid = a.oid
                      AND d.refclassid = 'pg_opclass'::regclass AND d.refobjid = o.oid)
        UNION ALL
        SELECT 2, a.amprocnum, format('FUNCTION %s (%s, %s) %s', a.amprocnum, a.amproclefttype::regtype,
                                      a.amprocrighttype::regtype, a.amproc::regprocedure)
        FROM pg_amproc a
        WHERE EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_amproc'::regclass AND d.objid = a.oid
                      AND d.refclassid = 'pg_opclass'::regclass AND d.refobjid = o.oid)
    ) m
) members
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND o.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_opclass'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
UNION ALL
SELECT 'pg_opfamily'::regclass::oid, f.oid, 0, 'operator family', n.nspname::text, NULL,
       format('%s USING %s', f.opfname, m.amname),
       format('CREATE OPERATOR FAMILY %I.%I USING %I', n.nspname, f.opfname, m.amname), NULL,
       format('DROP OPERATOR FAMILY %I.%I USING %I', n.nspname, f.opfname, m.amname), NULL, NULL
FROM pg_opfamily f
JOIN pg_am m ON m.oid = f.opfmethod
JOIN pg_namespace n ON n.oid = f.opfnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND f.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_opfamily'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
