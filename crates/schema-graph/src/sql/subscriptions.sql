-- Subscriptions of this database. They are created without connecting: their tables are the publisher's affair. Who may
-- not read them, as with a hosted PostgreSQL, sees none.
SELECT 'pg_subscription'::regclass::oid AS class, s.oid AS object, 0 AS sub,
       'subscription' AS kind, '' AS schema, NULL::text AS on_table, s.subname::text AS name,
       format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION %s WITH (connect = false%s, %s)', s.subname,
              s.subconninfo, publications, CASE WHEN s.subslotname IS NULL THEN ', slot_name = NONE' ELSE format(', slot_name = %L', s.subslotname) END,
              options) AS definition,
       '' AS shape,
       format('DROP SUBSCRIPTION %I', s.subname) AS removal,
       ARRAY[
           'connection', s.subconninfo, format('ALTER SUBSCRIPTION %I CONNECTION %L', s.subname, s.subconninfo), NULL,
           'inline',
           'publications', publications,
           format('ALTER SUBSCRIPTION %I SET PUBLICATION %s WITH (refresh = false)', s.subname, publications), NULL,
           'inline',
           'options', options, format('ALTER SUBSCRIPTION %I SET (%s)', s.subname, options), NULL, 'inline'
       ] AS attributes,
       NULL::text[] AS parts
FROM pg_subscription s
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(p), ', ' ORDER BY p) AS publications FROM unnest(s.subpublications) p
) p
CROSS JOIN LATERAL concat_ws(
    ', ',
    format('binary = %s, streaming = %s, synchronous_commit = %L', s.subbinary::text,
           CASE s.substream WHEN 'f' THEN 'off' WHEN 't' THEN 'on' ELSE 'parallel' END, s.subsynccommit),
    -- By way of JSON, for they came with PostgreSQL 15 and 16.
    'disable_on_error = ' || (to_jsonb(s) ->> 'subdisableonerr'),
    'origin = ' || quote_literal(to_jsonb(s) ->> 'suborigin')
) options
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
