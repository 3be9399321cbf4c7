-- The schema as dbops last left it, in one row. `objects` has a digest for each; `layout` is that of the digests.
CREATE TABLE dbops.schema_state (
    recorded timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    version_table text NOT NULL,
    revisions text[] NOT NULL,
    layout integer NOT NULL,
    own_id oid NOT NULL,
    server integer NOT NULL,
    objects jsonb NOT NULL
);
