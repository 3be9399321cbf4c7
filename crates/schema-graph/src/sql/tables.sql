-- Tables and foreign tables without their columns. The parts are what stands before and after the columns in CREATE
-- TABLE. The shape is what cannot be altered.
SELECT 'pg_class'::regclass::oid AS class, c.oid AS object, 0 AS sub,
       CASE c.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind,
       n.nspname::text AS schema, NULL::text AS on_table, c.relname::text AS name,
       NULL AS definition,
       concat_ws(' ', c.relkind = 'p', pg_get_partkeydef(c.oid), nullif(c.reloftype, 0)::regtype, fs.srvname) AS shape,
       format('DROP %s %s', word, target) AS removal,
       CASE WHEN c.relpersistence = 'u' THEN ARRAY[
           'unlogged', 'true', format('ALTER TABLE %s SET UNLOGGED', target),
           format('ALTER TABLE %s SET LOGGED', target), 'inline'
       ] ELSE '{}'::text[] END
       || CASE WHEN am.amname <> 'heap' THEN ARRAY[
           'access method', am.amname, format('ALTER TABLE %s SET ACCESS METHOD %I', target, am.amname),
           format('ALTER TABLE %s SET ACCESS METHOD heap', target), 'inline'
       ] ELSE '{}'::text[] END
       || CASE WHEN ts.spcname IS NOT NULL THEN ARRAY[
           'tablespace', ts.spcname, format('ALTER TABLE %s SET TABLESPACE %I', target, ts.spcname),
           format('ALTER TABLE %s SET TABLESPACE pg_default', target), 'inline'
       ] ELSE '{}'::text[] END
       || CASE WHEN c.relrowsecurity THEN ARRAY[
           'row security', 'enabled', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target),
           format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', target), NULL
       ] ELSE '{}'::text[] END
       || CASE WHEN c.relforcerowsecurity THEN ARRAY[
           'row security of the owner', 'forced', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target),
           format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', target), NULL
       ] ELSE '{}'::text[] END
       || CASE WHEN c.relkind <> 'f' AND c.relreplident IN ('f', 'n') THEN ARRAY[
           'replica identity', c.relreplident::text, format('ALTER TABLE %s REPLICA IDENTITY %s', target,
           CASE c.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END),
           format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', target), NULL
       ] ELSE '{}'::text[] END
       || coalesce(CASE WHEN c.reloptions IS NOT NULL OR toast.reloptions IS NOT NULL THEN (
           SELECT array_agg(item ORDER BY o.option_name, i.number)
           FROM (SELECT * FROM pg_options_to_table(c.reloptions)
                 UNION ALL
                 SELECT 'toast.' || option_name, option_value FROM pg_options_to_table(toast.reloptions)) o
           CROSS JOIN LATERAL unnest(ARRAY[
               'option ' || o.option_name, o.option_value,
               format('ALTER TABLE %s SET (%s=%L)', target, o.option_name, o.option_value),
               format('ALTER TABLE %s RESET (%s)', target, o.option_name), 'inline'
           ]) WITH ORDINALITY AS i (item, number)
       ) END, '{}')
       || coalesce(CASE WHEN c.relkind = 'f' THEN (
           SELECT array_agg(item ORDER BY o.option_name, i.number)
           FROM pg_options_to_table(ft.ftoptions) o
           CROSS JOIN LATERAL unnest(ARRAY[
               'option ' || o.option_name, o.option_value,
               format('ALTER FOREIGN TABLE %s OPTIONS (SET %I %L)', target, o.option_name, o.option_value),
               format('ALTER FOREIGN TABLE %s OPTIONS (DROP %I)', target, o.option_name), 'inline'
           ]) WITH ORDINALITY AS i (item, number)
       ) END, '{}') AS attributes,
       ARRAY[
           concat_ws(' ', 'CREATE', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END, word, target,
                     CASE WHEN c.relispartition THEN 'PARTITION OF ' || parents.names
                          WHEN c.reloftype <> 0 THEN 'OF ' || c.reloftype::regtype END),
           concat_ws(
               ' ',
               CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid)
                    ELSE 'INHERITS (' || parents.names || ')' END,
               'PARTITION BY ' || pg_get_partkeydef(c.oid),
               'SERVER ' || quote_ident(fs.srvname),
               CASE WHEN c.relkind = 'f' THEN (
                   SELECT 'OPTIONS (' || string_agg(format('%I %L', o.option_name, o.option_value), ', ') || ')'
                   FROM pg_options_to_table(ft.ftoptions) o
               ) END,
               CASE WHEN am.amname <> 'heap' THEN 'USING ' || quote_ident(am.amname) END,
               CASE WHEN c.reloptions IS NOT NULL OR toast.reloptions IS NOT NULL THEN (
                   SELECT 'WITH (' || string_agg(format('%s=%L', o.option_name, o.option_value), ', ') || ')'
                   FROM (SELECT * FROM pg_options_to_table(c.reloptions)
                         UNION ALL
                         SELECT 'toast.' || option_name, option_value FROM pg_options_to_table(toast.reloptions)) o
               ) END,
               'TABLESPACE ' || quote_ident(ts.spcname)
           )
       ] AS parts
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid
LEFT JOIN pg_foreign_server fs ON fs.oid = ft.ftserver
LEFT JOIN LATERAL (
    SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) AS names
    FROM pg_inherits i
    WHERE i.inhrelid = c.oid
) parents ON true
CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname) AS target) targets
CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS word) words
WHERE c.relkind IN ('r', 'p', 'f')
  AND c.relname <> 'alembic_version'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND c.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
