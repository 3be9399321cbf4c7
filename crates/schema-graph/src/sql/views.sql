-- Views and materialized views. The parts are the columns with their types.
SELECT 'pg_class'::regclass::oid AS class, c.oid AS object, 0 AS sub,
       CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END AS kind,
       n.nspname::text AS schema, NULL::text AS on_table, c.relname::text AS name,
       concat(
           format('CREATE %s %s', word, target),
           CASE WHEN c.relkind = 'm' AND am.amname <> 'heap' THEN ' USING ' || quote_ident(am.amname) END,
           ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
           ' TABLESPACE ' || quote_ident(ts.spcname),
           E' AS\n', query,
           CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN E'\nWITH NO DATA' END
       ) AS definition,
       query AS shape,
       format('DROP %s %s', word, target) AS removal,
       coalesce((
           SELECT array_agg(item ORDER BY o.option_name, i.number)
           FROM pg_options_to_table(c.reloptions) o
           CROSS JOIN LATERAL unnest(ARRAY[
               'option ' || o.option_name, o.option_value,
               format('ALTER %s %s SET (%s=%L)', word, target, o.option_name, o.option_value),
               format('ALTER %s %s RESET (%s)', word, target, o.option_name), 'inline'
           ]) WITH ORDINALITY AS i (item, number)
       ), '{}') AS attributes,
       (SELECT array_agg(concat(quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod), ' ',
                                nullif(a.attcollation, 0)::regcollation) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS parts
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname) AS target) targets
-- OFFSET 0 has it computed once for both places.
CROSS JOIN LATERAL (SELECT rtrim(pg_get_viewdef(c.oid), ';') AS query OFFSET 0) queries
CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END AS word) words
WHERE c.relkind IN ('v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
