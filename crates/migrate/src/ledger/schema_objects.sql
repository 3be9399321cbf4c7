-- The objects of a database that make up its schema, each with a digest of what it is. A table stands for its columns,
-- constraints, indexes, triggers, policies, rules and sequences. To be run with nothing but pg_catalog in the search path.
--
-- The digest is made of the catalogs' own columns, which costs a fraction of what definitions do. What is dropped and made
-- again as it was is the same: columns, types and tables stand by name. Some ids are left, such as those of collations, so
-- that it means nothing in another database. Left out are privileges, comments, and what an extension brings.
WITH members AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
),
schemas AS MATERIALIZED (
    SELECT oid, nspname
    FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'dbops') AND nspname !~ '^pg_(toast|temp)'
      AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_namespace'::regclass AND m.objid = oid)
),
relations AS MATERIALIZED (
    SELECT c.*, n.nspname
    FROM pg_class c
    JOIN schemas n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
      AND c.relname <> 'alembic_version'
      AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
),
-- Sequences belong to the table of their column, where they have one.
sequences AS MATERIALIZED (
    SELECT r.oid, d.refobjid AS owner, concat_ws('|', 'sequence', s.seqtypid, s.seqstart, s.seqincrement, s.seqmax,
                                                 s.seqmin, s.seqcache, s.seqcycle) AS part
    FROM relations r
    JOIN pg_sequence s ON s.seqrelid = r.oid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
        AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
),
parts AS (
    SELECT oid AS relation, concat_ws('|', relkind, relpersistence, relrowsecurity, relforcerowsecurity, relreplident,
                                      reloptions, nullif(reloftype, 0)::regtype, pg_get_partkeydef(oid),
                                      pg_get_expr(relpartbound, oid)) AS part
    FROM relations
    UNION ALL
    SELECT coalesce(owner, oid), part FROM sequences
    UNION ALL
    SELECT a.attrelid, concat_ws('|', 'column', a.attname, tn.nspname, t.typname, a.atttypmod, a.attnotnull, a.attidentity,
                                 a.attgenerated, a.attcollation, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid >= 16384
    UNION ALL
    SELECT conrelid, concat_ws('|', 'constraint', conname, contype, condeferrable, condeferred, convalidated,
                               connoinherit, confupdtype, confdeltype, confmatchtype, conexclop,
                               pg_get_expr(conbin, conrelid))
    FROM pg_constraint
    WHERE conrelid >= 16384
    UNION ALL
    SELECT k.conrelid, concat_ws('|', 'key', k.conname, key.place, a.attname)
    FROM pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS key (attnum, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.attnum
    WHERE k.conrelid >= 16384 AND k.contype IN ('p', 'u', 'f', 'x')
    UNION ALL
    SELECT k.conrelid, concat_ws('|', 'referred', k.conname, key.place, rn.nspname, r.relname, a.attname)
    FROM pg_constraint k
    CROSS JOIN LATERAL unnest(k.confkey) WITH ORDINALITY AS key (attnum, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.attnum
    JOIN pg_class r ON r.oid = k.confrelid
    JOIN pg_namespace rn ON rn.oid = r.relnamespace
    WHERE k.conrelid >= 16384
    UNION ALL
    SELECT i.indrelid, concat_ws('|', 'index', c.relname, c.relam, c.reloptions, i.indisunique, i.indnkeyatts, i.indclass,
                                 i.indcollation, i.indoption, pg_get_expr(i.indexprs, i.indrelid),
                                 pg_get_expr(i.indpred, i.indrelid))
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid >= 16384
    UNION ALL
    SELECT i.indrelid, concat_ws('|', 'indexed', c.relname, key.place, a.attname)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS key (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = key.attnum
    WHERE i.indrelid >= 16384
    UNION ALL
    SELECT inhrelid, concat_ws('|', 'parent', inhparent::regclass) FROM pg_inherits
    UNION ALL
    SELECT tgrelid, concat_ws('|', 'trigger', tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT ev_class, concat_ws('|', 'rule', rulename, ev_enabled, pg_get_ruledef(oid))
    FROM pg_rewrite
    WHERE ev_class >= 16384
    UNION ALL
    SELECT polrelid, concat_ws('|', 'policy', polname, polcmd, polpermissive, polroles,
                               pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy
)
SELECT format('%s %I.%I', CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                                         WHEN 'c' THEN 'type' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
              r.nspname, r.relname) AS object,
       bit_xor(hashtextextended(p.part, 0)) AS digest
FROM relations r
JOIN parts p ON p.relation = r.oid
WHERE NOT EXISTS (SELECT FROM sequences s WHERE s.oid = r.oid AND s.owner IS NOT NULL)
GROUP BY r.oid, r.relkind, r.nspname, r.relname
UNION ALL
SELECT format('schema %I', nspname), 0 FROM schemas
UNION ALL
SELECT format('extension %I', extname), extnamespace::bigint FROM pg_extension
UNION ALL
SELECT format('%s %I.%I(%s)', CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END,
              n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
       hashtextextended(concat_ws('|', p.prokind, p.prolang, pg_get_function_result(p.oid), p.proretset,
                                  p.provolatile, p.proisstrict,
                                  p.prosecdef, p.proleakproof, p.proparallel, p.proconfig, p.proargnames, p.proargmodes,
                                  pg_get_expr(p.proargdefaults, 0), p.prosrc, p.probin, pg_get_function_sqlbody(p.oid),
                                  (SELECT concat_ws('|', aggtransfn, aggfinalfn, aggtranstype::regtype, agginitval)
                                   FROM pg_aggregate WHERE aggfnoid = p.oid)), 0)
FROM pg_proc p
JOIN schemas n ON n.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
UNION ALL
SELECT format('type %I.%I', n.nspname, t.typname),
       hashtextextended(concat_ws('|', t.typtype, nullif(t.typbasetype, 0)::regtype, t.typtypmod, t.typnotnull,
           t.typcollation, t.typdefault,
           (SELECT string_agg(enumlabel, '|' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
           (SELECT string_agg(concat_ws('|', conname, convalidated, pg_get_expr(conbin, 0)), '|' ORDER BY conname)
            FROM pg_constraint WHERE contypid = t.oid),
           (SELECT rngsubtype::regtype FROM pg_range WHERE rngtypid = t.oid)), 0)
FROM pg_type t
JOIN schemas n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r')
  AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
UNION ALL
SELECT format('event trigger %I', evtname),
       hashtextextended(concat_ws('|', evtevent, evtfoid::regproc, evtenabled, evttags), 0)
FROM pg_event_trigger
UNION ALL
SELECT format('publication %I', p.pubname),
       hashtextextended(concat_ws('|', p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
           (SELECT string_agg(prrelid::regclass::text, '|' ORDER BY prrelid::regclass::text)
            FROM pg_publication_rel WHERE prpubid = p.oid)), 0)
FROM pg_publication p
