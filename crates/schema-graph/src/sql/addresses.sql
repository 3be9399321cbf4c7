-- What is part of another object, and stands for it in pg_depend.
-- Row types of tables and views; a composite type stands for its relation.
SELECT 'pg_type'::regclass::oid AS class, c.reltype AS object, 'pg_class'::regclass::oid AS of_class, c.oid AS of_object,
       0 AS of_sub,
       -- A partition's: it is what it is because of its parent's, and what it needs is nothing that its parent's does.
       false AS is_child
FROM pg_class c
WHERE c.oid >= 16384 AND c.reltype <> 0 AND c.relkind <> 'c'
UNION ALL
SELECT 'pg_class'::regclass, c.oid, 'pg_type'::regclass, c.reltype, 0, false
FROM pg_class c
WHERE c.oid >= 16384 AND c.relkind = 'c'
UNION ALL
SELECT 'pg_type'::regclass, t.typarray, 'pg_type'::regclass, t.oid, 0, false
FROM pg_type t
WHERE t.oid >= 16384 AND t.typarray <> 0
UNION ALL
SELECT 'pg_type'::regclass, r.rngmultitypid, 'pg_type'::regclass, r.rngtypid, 0, false
FROM pg_range r
WHERE r.rngtypid >= 16384
UNION ALL
-- A constraint's index, what a partition's constraint has from its parent's, and the triggers behind it.
SELECT 'pg_class'::regclass, k.conindid, 'pg_constraint'::regclass, k.oid, 0, false
FROM pg_constraint k
WHERE k.conindid >= 16384 AND k.contype IN ('p', 'u', 'x')
UNION ALL
SELECT 'pg_constraint'::regclass, k.oid, 'pg_constraint'::regclass, k.conparentid, 0, true
FROM pg_constraint k
WHERE k.conparentid <> 0
UNION ALL
SELECT 'pg_trigger'::regclass, t.oid, 'pg_constraint'::regclass, t.tgconstraint, 0, false
FROM pg_trigger t
WHERE t.tgisinternal AND t.tgconstraint <> 0
UNION ALL
SELECT 'pg_trigger'::regclass, t.oid, 'pg_trigger'::regclass, t.tgparentid, 0, true
FROM pg_trigger t
WHERE NOT t.tgisinternal AND t.tgparentid <> 0
UNION ALL
-- An index of a partition that came from its parent's.
SELECT 'pg_class'::regclass, i.inhrelid, 'pg_class'::regclass, i.inhparent, 0, true
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE c.relkind IN ('i', 'I')
UNION ALL
-- The rule that makes a view what it is.
SELECT 'pg_rewrite'::regclass, r.oid, 'pg_class'::regclass, r.ev_class, 0, false
FROM pg_rewrite r
WHERE r.rulename = '_RETURN' AND r.oid >= 16384
UNION ALL
-- An identity column's sequence, and the expression of a generated column.
SELECT d.classid, d.objid, d.refclassid, d.refobjid, d.refobjsubid, false
FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid
WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refclassid = 'pg_class'::regclass AND c.relkind = 'S'
UNION ALL
SELECT 'pg_attrdef'::regclass, e.oid, 'pg_class'::regclass, e.adrelid, e.adnum, false
FROM pg_attrdef e
JOIN pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
WHERE a.attgenerated <> ''
UNION ALL
-- The members of operator families and classes.
SELECT d.classid, d.objid, d.refclassid, d.refobjid, 0, false
FROM pg_depend d
WHERE d.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND d.objid >= 16384
  AND d.deptype IN ('i', 'a') AND d.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
UNION ALL
SELECT d.classid, d.objid, d.refclassid, d.refobjid, 0, false
FROM pg_depend d
WHERE d.deptype = 'e'
