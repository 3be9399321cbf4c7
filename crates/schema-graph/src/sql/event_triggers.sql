-- Event triggers.
SELECT 'pg_event_trigger'::regclass::oid AS class, t.oid AS object, 0 AS sub,
       'event trigger' AS kind, '' AS schema, NULL::text AS on_table, t.evtname::text AS name,
       concat_ws(
           ' ', format('CREATE EVENT TRIGGER %I ON %s', t.evtname, t.evtevent),
           (SELECT 'WHEN TAG IN (' || string_agg(quote_literal(tag), ', ' ORDER BY tag) || ')'
            FROM unnest(t.evttags) tag),
           format('EXECUTE FUNCTION %s()', t.evtfoid::regproc)
       ) AS definition,
       NULL AS shape,
       format('DROP EVENT TRIGGER %I', t.evtname) AS removal,
       CASE WHEN t.evtenabled <> 'O' THEN ARRAY[
           'enabled', t.evtenabled::text,
           format('ALTER EVENT TRIGGER %I %s', t.evtname,
                  CASE t.evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END),
           format('ALTER EVENT TRIGGER %I ENABLE', t.evtname), NULL
       ] END AS attributes,
       NULL::text[] AS parts
FROM pg_event_trigger t
WHERE t.oid NOT IN (
    SELECT d.objid FROM pg_depend d
    WHERE d.classid = 'pg_event_trigger'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
)
