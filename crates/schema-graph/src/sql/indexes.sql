-- Indexes, except those that a constraint brings along. A partition's may be part of its parent's.
WITH plain AS (
    -- Of up to four columns with their types' usual operator classes, in their usual order. pg_get_indexdef says the
    -- same of them, but looks each up in the caches one by one: in large schemas that was most of the time.
    SELECT x.indexrelid, string_agg(quote_ident(a.attname), ', ' ORDER BY place) AS columns
    FROM pg_index x
    JOIN (VALUES (0), (1), (2), (3)) AS places (place) ON place < x.indnatts
    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[place]
    JOIN pg_opclass o ON o.oid = x.indclass[place]
    JOIN pg_am am ON am.oid = o.opcmethod
    WHERE NOT x.indisprimary AND x.indexprs IS NULL AND x.indpred IS NULL AND NOT x.indnullsnotdistinct
      AND am.amname = 'btree' AND o.oid < 16384 AND o.opcdefault AND x.indoption[place] = 0
      AND x.indcollation[place] = a.attcollation
      AND o.opcintype IN (a.atttypid, CASE a.atttypid WHEN 'varchar'::regtype THEN 'text'::regtype END)
      -- It would be used for text no more.
      AND NOT EXISTS (SELECT FROM pg_opclass u WHERE u.opcdefault AND u.opcintype = 'varchar'::regtype)
    GROUP BY x.indexrelid
    HAVING count(*) = x.indnatts
)
SELECT 'pg_class'::regclass::oid AS class, i.oid AS object, 0 AS sub,
       'index' AS kind, n.nspname::text AS schema, c.relname::text AS on_table, i.relname::text AS name,
       CASE WHEN plain.columns IS NULL OR i.reloptions IS NOT NULL
            THEN regexp_replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ')
            ELSE format('CREATE %sINDEX %I ON %I.%I USING btree (%s)', CASE WHEN x.indisunique THEN 'UNIQUE ' END,
                        i.relname, n.nspname, c.relname, plain.columns) END
           || coalesce(' TABLESPACE ' || quote_ident(ts.spcname), '')
           -- What CREATE INDEX CONCURRENTLY leaves behind when it fails: it costs every write and serves no query.
           || CASE WHEN x.indisvalid THEN '' ELSE ' -- invalid' END AS definition,
       NULL AS shape,
       format('DROP INDEX %I.%I', n.nspname, i.relname) AS removal,
       CASE WHEN x.indisclustered THEN ARRAY[
           'clustered', 'true', format('ALTER TABLE %I.%I CLUSTER ON %I', n.nspname, c.relname, i.relname),
           format('ALTER TABLE %I.%I SET WITHOUT CLUSTER', n.nspname, c.relname), NULL
       ] ELSE '{}'::text[] END
       || CASE WHEN x.indisreplident THEN ARRAY[
           'replica identity', 'true',
           format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I', n.nspname, c.relname, i.relname),
           format('ALTER TABLE %I.%I REPLICA IDENTITY DEFAULT', n.nspname, c.relname), NULL
       ] ELSE '{}'::text[] END
       -- Only expressions have statistics of their own here.
       || coalesce(CASE WHEN x.indexprs IS NOT NULL THEN (
           SELECT array_agg(item ORDER BY a.attnum, number)
           FROM pg_attribute a
           CROSS JOIN LATERAL unnest(ARRAY[
               format('statistics %s', a.attnum), a.attstattarget::text,
               format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s', n.nspname, i.relname, a.attnum,
                      a.attstattarget),
               format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS -1', n.nspname, i.relname, a.attnum), NULL
           ]) WITH ORDINALITY AS l (item, number)
           WHERE a.attrelid = i.oid AND a.attstattarget >= 0
       ) END, '{}') AS attributes,
       NULL::text[] AS parts,
       i.relispartition AS is_inherited,
       CASE WHEN i.relispartition THEN (SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = i.oid) END AS of_parent
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN plain ON plain.indexrelid = x.indexrelid
LEFT JOIN pg_tablespace ts ON ts.oid = i.reltablespace
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
  AND c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
