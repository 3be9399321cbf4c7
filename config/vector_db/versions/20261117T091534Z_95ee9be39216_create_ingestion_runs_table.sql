-- revision: 95ee9be39216
-- revises: 76ef6c5d0278
-- branch_labels:
-- depends_on:
-- message: create ingestion_runs table
-- created: 2026-11-17T09:15:34Z

-- +up
-- One pass over one source.
CREATE TABLE ingestion_runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    source text NOT NULL,
    status text DEFAULT 'running' NOT NULL,
    error text,
    started_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    CONSTRAINT ingestion_runs_pkey PRIMARY KEY (id),
    CONSTRAINT ingestion_runs_source_check CHECK (source <> ''),
    CONSTRAINT ingestion_runs_status_check
        CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled')),
    CONSTRAINT ingestion_runs_error_check CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ingestion_runs_finished_at_check
        CHECK ((finished_at IS NULL) = (status = 'running') AND finished_at >= started_at)
);

-- A source is read by one run at a time.
CREATE UNIQUE INDEX ingestion_runs_running_source_key ON ingestion_runs (source)
    WHERE status = 'running';

-- The history of a source, the newest first.
CREATE INDEX ingestion_runs_source_started_at_idx ON ingestion_runs (source, started_at DESC);

COMMENT ON TABLE ingestion_runs IS
    'Passes over a source. Old runs may be deleted; their jobs go with them, the documents stay.';

-- +down
DROP TABLE ingestion_runs;
