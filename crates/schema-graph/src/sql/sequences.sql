-- Sequences, except those of identity columns: they come with the column.
SELECT 'pg_class'::regclass::oid AS class, c.oid AS object, 0 AS sub,
       'sequence' AS kind, n.nspname::text AS schema, NULL::text AS on_table, c.relname::text AS name,
       concat_ws(' ', CASE c.relpersistence WHEN 'u' THEN 'CREATE UNLOGGED SEQUENCE' ELSE 'CREATE SEQUENCE' END,
                 target, 'AS', format_type(s.seqtypid, NULL), options) AS definition,
       '' AS shape,
       format('DROP SEQUENCE %s', target) AS removal,
       ARRAY[
           'options', format('AS %s %s', format_type(s.seqtypid, NULL), options),
           format('ALTER SEQUENCE %s AS %s %s%s', target, format_type(s.seqtypid, NULL), options,
                  CASE WHEN NOT s.seqcycle THEN ' NO CYCLE' END), NULL, 'inline'
       ] || CASE WHEN c.relpersistence = 'u' THEN ARRAY[
           'unlogged', 'true', format('ALTER SEQUENCE %s SET UNLOGGED', target),
           format('ALTER SEQUENCE %s SET LOGGED', target), 'inline'
       ] ELSE '{}'::text[] END AS attributes,
       ARRAY[s.seqmin::text, s.seqmax::text, target] AS parts
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL format('%I.%I', n.nspname, c.relname) target
CROSS JOIN LATERAL concat_ws(
    ' ',
    format('START WITH %s INCREMENT BY %s', s.seqstart, s.seqincrement),
    format('MINVALUE %s MAXVALUE %s CACHE %s', s.seqmin, s.seqmax, s.seqcache),
    CASE WHEN s.seqcycle THEN 'CYCLE' END
) options
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i')
  )
