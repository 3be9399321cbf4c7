-- Who needs whom. What a sequence's owner and a partition's parent are to it, objects of their own say.
SELECT d.classid AS class, d.objid AS object, d.objsubid AS sub,
       d.refclassid AS of_class, d.refobjid AS of_object, d.refobjsubid AS of_sub
FROM pg_depend d
WHERE d.deptype IN ('n', 'a', 'i')
  AND d.objid >= 16384
  AND (d.refobjid >= 16384 OR d.refclassid = 'pg_namespace'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
           AND d.refobjsubid > 0 AND EXISTS (SELECT FROM pg_sequence s WHERE s.seqrelid = d.objid))
