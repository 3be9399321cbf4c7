-- Text search: parsers, templates, dictionaries, and configurations with what each token type is looked up in.
SELECT 'pg_ts_config'::regclass::oid AS class, k.oid AS object, 0 AS sub,
       'text search configuration' AS kind, n.nspname::text AS schema, NULL::text AS on_table, k.cfgname::text AS name,
       format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)', n.nspname, k.cfgname, pn.nspname, p.prsname)
           AS definition,
       NULL AS shape,
       format('DROP TEXT SEARCH CONFIGURATION %I.%I', n.nspname, k.cfgname) AS removal,
       (SELECT array_agg(item ORDER BY m.alias, number)
        FROM (
            SELECT t.alias, string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS dictionaries
            FROM pg_ts_config_map m
            JOIN ts_token_type(k.cfgparser) t ON t.tokid = m.maptokentype
            WHERE m.mapcfg = k.oid
            GROUP BY t.alias
        ) m
        CROSS JOIN LATERAL unnest(ARRAY[
            'mapping ' || m.alias, m.dictionaries,
            format('ALTER TEXT SEARCH CONFIGURATION %I.%I ADD MAPPING FOR %I WITH %s', n.nspname, k.cfgname, m.alias,
                   m.dictionaries),
            format('ALTER TEXT SEARCH CONFIGURATION %I.%I DROP MAPPING FOR %I', n.nspname, k.cfgname, m.alias),
            'reset first'
        ]) WITH ORDINALITY AS l (item, number)) AS attributes,
       NULL::text[] AS parts
FROM pg_ts_config k
JOIN pg_namespace n ON n.oid = k.cfgnamespace
JOIN pg_ts_parser p ON p.oid = k.cfgparser
JOIN pg_namespace pn ON pn.oid = p.prsnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND k.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_ts_config'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
UNION ALL
SELECT 'pg_ts_dict'::regclass::oid, k.oid, 0, 'text search dictionary', n.nspname::text, NULL, k.dictname::text,
       format('CREATE TEXT SEARCH DICTIONARY %I.%I (%s)', n.nspname, k.dictname,
              concat_ws(', ', format('TEMPLATE = %I.%I', tn.nspname, t.tmplname), k.dictinitoption)),
       NULL,
       format('DROP TEXT SEARCH DICTIONARY %I.%I', n.nspname, k.dictname), NULL, NULL
FROM pg_ts_dict k
JOIN pg_namespace n ON n.oid = k.dictnamespace
JOIN pg_ts_template t ON t.oid = k.dicttemplate
JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND k.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_ts_dict'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
