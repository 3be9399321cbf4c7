-- Publications, and each table and schema in them.
SELECT 'pg_publication'::regclass::oid AS class, p.oid AS object, 0 AS sub,
       'publication' AS kind, '' AS schema, NULL::text AS on_table, p.pubname::text AS name,
       concat(format('CREATE PUBLICATION %I', p.pubname), CASE WHEN p.puballtables THEN ' FOR ALL TABLES' END,
              ' WITH (', options, ')') AS definition,
       p.puballtables::text AS shape,
       format('DROP PUBLICATION %I', p.pubname) AS removal,
       ARRAY['options', options, format('ALTER PUBLICATION %I SET (%s)', p.pubname, options), NULL, 'inline']
           AS attributes,
       NULL::text[] AS parts
FROM pg_publication p
CROSS JOIN LATERAL (
    SELECT format('publish = %L, publish_via_partition_root = %s', concat_ws(
               ', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
               CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END
           ), p.pubviaroot::text)
           -- PostgreSQL 18 also publishes generated columns.
           || CASE to_jsonb(p) ->> 'pubgencols' WHEN 's' THEN ', publish_generated_columns = stored' ELSE '' END
           AS options
) o
WHERE p.oid NOT IN (
    SELECT d.objid FROM pg_depend d
    WHERE d.classid = 'pg_publication'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
)
UNION ALL
SELECT 'pg_publication_rel'::regclass::oid, r.oid, 0, 'published table', n.nspname::text, c.relname::text,
       p.pubname::text,
       concat(format('ALTER PUBLICATION %I ADD TABLE ONLY %I.%I', p.pubname, n.nspname, c.relname),
              (SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')'
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs)),
              ' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')'),
       NULL,
       format('ALTER PUBLICATION %I DROP TABLE ONLY %I.%I', p.pubname, n.nspname, c.relname), NULL, NULL
FROM pg_publication_rel r
JOIN pg_publication p ON p.oid = r.prpubid
JOIN pg_class c ON c.oid = r.prrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT 'pg_publication_namespace'::regclass::oid, r.oid, 0, 'published schema', n.nspname::text, NULL,
       p.pubname::text,
       format('ALTER PUBLICATION %I ADD TABLES IN SCHEMA %I', p.pubname, n.nspname),
       NULL,
       format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA %I', p.pubname, n.nspname), NULL, NULL
FROM pg_publication_namespace r
JOIN pg_publication p ON p.oid = r.pnpubid
JOIN pg_namespace n ON n.oid = r.pnnspid
