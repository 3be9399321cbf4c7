-- Enums, domains, composite types, ranges, and base and shell types. A table's row type comes with the table, an
-- array's with its element, a multirange with its range. The parts of an enum are its labels; those of a composite
-- type are its attributes, each with its clause; that of a range is its multirange.
SELECT 'pg_type'::regclass::oid AS class, t.oid AS object, 0 AS sub,
       CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type'
                      WHEN 'r' THEN 'range type' ELSE 'base type' END AS kind,
       n.nspname::text AS schema, NULL::text AS on_table, t.typname::text AS name,
       CASE t.typtype
           WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname, labels.list)
           WHEN 'd' THEN concat_ws(
               ' ',
               format('CREATE DOMAIN %I.%I AS %s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod)),
               CASE WHEN t.typcollation <> base.typcollation THEN 'COLLATE ' || t.typcollation::regcollation END,
               'DEFAULT ' || t.typdefault
           )
           WHEN 'c' THEN format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname, fields.list)
           WHEN 'r' THEN format('CREATE TYPE %I.%I AS RANGE (%s)', n.nspname, t.typname, concat_ws(
               ', ',
               'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
               format('MULTIRANGE_TYPE_NAME = %s', r.rngmultitypid::regtype),
               CASE WHEN NOT o.opcdefault THEN format('SUBTYPE_OPCLASS = %I.%I', os.nspname, o.opcname) END,
               CASE WHEN r.rngcollation <> sub.typcollation THEN 'COLLATION = ' || r.rngcollation::regcollation END,
               CASE WHEN r.rngcanonical <> 0 THEN 'CANONICAL = ' || r.rngcanonical END,
               CASE WHEN r.rngsubdiff <> 0 THEN 'SUBTYPE_DIFF = ' || r.rngsubdiff END
           ))
           ELSE format('CREATE TYPE %I.%I', n.nspname, t.typname)
       END AS definition,
       CASE t.typtype WHEN 'd' THEN
           concat_ws(' ', format_type(t.typbasetype, t.typtypmod), nullif(t.typcollation, base.typcollation)::regcollation)
       END AS shape,
       format('DROP %s %I.%I', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname) AS removal,
       CASE WHEN t.typtype = 'd' THEN
           CASE WHEN t.typdefault IS NOT NULL THEN ARRAY[
               'default', t.typdefault, format('ALTER DOMAIN %I.%I SET DEFAULT %s', n.nspname, t.typname, t.typdefault),
               format('ALTER DOMAIN %I.%I DROP DEFAULT', n.nspname, t.typname), 'inline'
           ] END
       END AS attributes,
       CASE t.typtype WHEN 'e' THEN labels.parts WHEN 'c' THEN fields.parts
                      WHEN 'r' THEN ARRAY[r.rngmultitypid::regtype::text] END AS parts
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_type base ON base.oid = t.typbasetype
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_type sub ON sub.oid = r.rngsubtype
LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc
LEFT JOIN pg_namespace os ON os.oid = o.opcnamespace
LEFT JOIN LATERAL (
    SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder) AS list,
           array_agg(l.enumlabel::text ORDER BY l.enumsortorder) AS parts
    FROM pg_enum l
    WHERE l.enumtypid = t.oid
) labels ON t.typtype = 'e'
LEFT JOIN LATERAL (
    SELECT string_agg(clause, ', ' ORDER BY a.attnum) FILTER (WHERE number = 1) AS list,
           array_agg(part ORDER BY a.attnum, number) AS parts
    FROM pg_attribute a
    JOIN pg_type type ON type.oid = a.atttypid
    CROSS JOIN LATERAL concat_ws(
        ' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> type.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END
    ) clause
    CROSS JOIN LATERAL unnest(ARRAY[
        quote_ident(a.attname), substr(clause, length(quote_ident(a.attname)) + 2)
    ]) WITH ORDINALITY AS p (part, number)
    WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
) fields ON t.typtype = 'c'
WHERE t.oid >= 16384
  AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbops')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND t.oid NOT IN (
      SELECT d.objid FROM pg_depend d
      WHERE d.classid = 'pg_type'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  )
