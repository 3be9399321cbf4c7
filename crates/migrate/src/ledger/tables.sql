-- What dbops remembers of the migrations of a database. Every comparison of schemas leaves this schema out.
CREATE SCHEMA IF NOT EXISTS dbops;

-- One row for each time that a revision was run, recorded, or found. `version_table` tells several version tables of
-- one database apart.
CREATE TABLE IF NOT EXISTS dbops.migration_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version_table text NOT NULL,
    revision text NOT NULL,
    direction text NOT NULL
        CHECK (direction IN ('up', 'down', 'stamp', 'unstamp', 'adopt', 'drop', 'accept')),
    started timestamptz NOT NULL,
    duration_ms bigint NOT NULL,
    checksum text,
    role text NOT NULL DEFAULT session_user,
    os_user text NOT NULL,
    host text NOT NULL,
    dbops_version text NOT NULL
);

-- The revision without a transaction that has not been completed, if there is one.
CREATE TABLE IF NOT EXISTS dbops.migration_unfinished (
    version_table text PRIMARY KEY,
    revision text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    statements integer NOT NULL DEFAULT 0,
    checksum text NOT NULL,
    outcome text CHECK (outcome IN ('unknown', 'failed')),
    error text,
    batch_key text[],
    batch_rows bigint NOT NULL DEFAULT 0,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
