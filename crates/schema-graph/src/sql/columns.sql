-- Columns of tables, views and materialized views, in their order. What is left out with its table finds none there.
SELECT a.attrelid AS object, a.attnum::int AS sub,
       a.attname::text AS name,
       quote_ident(a.attname) AS identifier,
       format_type(a.atttypid, a.atttypmod) AS data_type,
       a.attnotnull AS not_null,
       NOT a.attislocal AS is_inherited,
       -- User-defined types are converted by way of text.
       coalesce(elements.typtype, t.typtype) IN ('e', 'c', 'd', 'r') AS is_own_type,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(e.adbin, e.adrelid) END AS default_value,
       CASE a.attgenerated
           WHEN 's' THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(e.adbin, e.adrelid))
           WHEN 'v' THEN format('GENERATED ALWAYS AS (%s) VIRTUAL', pg_get_expr(e.adbin, e.adrelid))
       END AS generated,
       CASE WHEN a.attidentity <> '' THEN concat(
           'GENERATED ', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, ' AS IDENTITY',
           -- The options are told when they are not what the plain clause gives.
           ' (' || nullif(concat_ws(
               ' ',
               CASE WHEN sn.nspname <> n.nspname OR sc.relname <> format('%s_%s_seq', c.relname, a.attname)
                    THEN format('SEQUENCE NAME %I.%I', sn.nspname, sc.relname) END,
               CASE WHEN (s.seqstart, s.seqincrement, s.seqmin, s.seqcache, s.seqcycle) <> (1, 1, 1, 1, false)
                         OR s.seqmax <> CASE s.seqtypid WHEN 'int2'::regtype THEN 32767
                                                        WHEN 'int4'::regtype THEN 2147483647
                                                        ELSE 9223372036854775807 END
                    THEN format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s', s.seqstart,
                                s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' END)
               END
           ), '') || ')'
       ) END AS identity,
       CASE WHEN a.attidentity <> '' THEN concat(
           'SET GENERATED ', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
           format(' SET START WITH %s SET INCREMENT BY %s SET MINVALUE %s SET MAXVALUE %s SET CACHE %s SET %sCYCLE',
                  s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN NOT s.seqcycle THEN 'NO ' END)
       ) END AS identity_change,
       CASE WHEN sc.oid IS NOT NULL THEN format('%I.%I', sn.nspname, sc.relname) END AS identity_sequence,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS collation,
       CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage
           WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END AS storage,
       CASE a.attcompression WHEN 'l' THEN 'lz4' WHEN 'p' THEN 'pglz' END AS compression,
       nullif(a.attstattarget, -1)::int AS statistics,
       array_to_string(a.attoptions, ', ') AS options,
       CASE WHEN a.attfdwoptions IS NOT NULL THEN (
           SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ')
           FROM pg_options_to_table(a.attfdwoptions) o
       ) END AS foreign_options,
       comment.description AS comment
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type elements ON elements.oid = t.typelem AND t.typcategory = 'A'
LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
LEFT JOIN pg_description comment ON comment.classoid = 'pg_class'::regclass AND comment.objoid = a.attrelid
    AND comment.objsubid = a.attnum
LEFT JOIN (
    pg_sequence s
    JOIN pg_class sc ON sc.oid = s.seqrelid
    JOIN pg_namespace sn ON sn.oid = sc.relnamespace
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype = 'i'
        AND d.refclassid = 'pg_class'::regclass
) ON a.attidentity <> '' AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND c.oid >= 16384
ORDER BY a.attrelid, a.attnum
