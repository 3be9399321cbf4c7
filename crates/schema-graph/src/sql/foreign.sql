-- Foreign data wrappers, servers and user mappings. A mapping's options, which may hold a password, are read by its
-- owner and by superusers only.
SELECT 'pg_foreign_data_wrapper'::regclass::oid AS class, w.oid AS object, 0 AS sub,
       'foreign data wrapper' AS kind, '' AS schema, NULL::text AS on_table, w.fdwname::text AS name,
       concat_ws(' ', format('CREATE FOREIGN DATA WRAPPER %I', w.fdwname), handler, validator,
                 'OPTIONS (' || list || ')') AS definition,
       '' AS shape,
       format('DROP FOREIGN DATA WRAPPER %I', w.fdwname) AS removal,
       ARRAY['functions', concat_ws(' ', handler, validator),
             format('ALTER FOREIGN DATA WRAPPER %I %s %s', w.fdwname, coalesce(handler, 'NO HANDLER'),
                    coalesce(validator, 'NO VALIDATOR')), NULL, 'inline']
           || coalesce(options, '{}') AS attributes,
       NULL::text[] AS parts
FROM pg_foreign_data_wrapper w
CROSS JOIN LATERAL (SELECT 'HANDLER ' || nullif(w.fdwhandler, 0)::regproc AS handler,
                           'VALIDATOR ' || nullif(w.fdwvalidator, 0)::regproc AS validator) f
LEFT JOIN LATERAL (
    SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ') FILTER (WHERE number = 1) AS list,
           array_agg(item ORDER BY o.option_name, number) AS options
    FROM pg_options_to_table(w.fdwoptions) o
    CROSS JOIN LATERAL unnest(ARRAY[
        'option ' || o.option_name, o.option_value,
        format('ALTER FOREIGN DATA WRAPPER %I OPTIONS (ADD %I %L)', w.fdwname, o.option_name, o.option_value),
        format('ALTER FOREIGN DATA WRAPPER %I OPTIONS (DROP %I)', w.fdwname, o.option_name), 'inline, reset first'
    ]) WITH ORDINALITY AS l (item, number)
) opts ON true
WHERE w.oid >= 16384
  AND w.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_foreign_data_wrapper'::regclass AND d.refclassid = 'pg_extension'::regclass
        AND d.deptype = 'e'
  )
UNION ALL
SELECT 'pg_foreign_server'::regclass::oid, s.oid, 0, 'server', '', NULL, s.srvname::text,
       concat_ws(' ', format('CREATE SERVER %I', s.srvname), 'TYPE ' || quote_literal(s.srvtype),
                 'VERSION ' || quote_literal(s.srvversion), format('FOREIGN DATA WRAPPER %I', w.fdwname),
                 'OPTIONS (' || list || ')'),
       concat_ws(' ', w.fdwname, s.srvtype),
       format('DROP SERVER %I', s.srvname),
       CASE WHEN s.srvversion IS NOT NULL THEN ARRAY[
           'version', s.srvversion, format('ALTER SERVER %I VERSION %L', s.srvname, s.srvversion),
           format('ALTER SERVER %I VERSION NULL', s.srvname), 'inline'
       ] ELSE '{}'::text[] END || coalesce(options, '{}'),
       NULL
FROM pg_foreign_server s
JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
LEFT JOIN LATERAL (
    SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ') FILTER (WHERE number = 1) AS list,
           array_agg(item ORDER BY o.option_name, number) AS options
    FROM pg_options_to_table(s.srvoptions) o
    CROSS JOIN LATERAL unnest(ARRAY[
        'option ' || o.option_name, o.option_value,
        format('ALTER SERVER %I OPTIONS (ADD %I %L)', s.srvname, o.option_name, o.option_value),
        format('ALTER SERVER %I OPTIONS (DROP %I)', s.srvname, o.option_name), 'inline, reset first'
    ]) WITH ORDINALITY AS l (item, number)
) opts ON true
WHERE s.oid NOT IN (
    SELECT d.objid FROM pg_depend d
    WHERE d.classid = 'pg_foreign_server'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
)
UNION ALL
SELECT 'pg_user_mapping'::regclass::oid, u.umid, 0, 'user mapping', '', u.srvname::text, u.usename::text,
       concat_ws(' ', format('CREATE USER MAPPING FOR %s SERVER %I', who, u.srvname), 'OPTIONS (' || list || ')'),
       '',
       format('DROP USER MAPPING FOR %s SERVER %I', who, u.srvname),
       options, NULL
FROM pg_user_mappings u
CROSS JOIN LATERAL (SELECT CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END AS who) w
LEFT JOIN LATERAL (
    SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ') FILTER (WHERE number = 1) AS list,
           array_agg(item ORDER BY o.option_name, number) AS options
    FROM pg_options_to_table(u.umoptions) o
    CROSS JOIN LATERAL unnest(ARRAY[
        'option ' || o.option_name, o.option_value,
        format('ALTER USER MAPPING FOR %s SERVER %I OPTIONS (ADD %I %L)', who, u.srvname, o.option_name,
               o.option_value),
        format('ALTER USER MAPPING FOR %s SERVER %I OPTIONS (DROP %I)', who, u.srvname, o.option_name),
        'inline, reset first'
    ]) WITH ORDINALITY AS l (item, number)
) opts ON true
