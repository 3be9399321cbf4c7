-- revision: d713cb33663b
-- revises: 95ee9be39216
-- branch_labels:
-- depends_on:
-- message: create ingestion_jobs table
-- created: 2026-11-17T09:52:10Z

-- +up
-- The work of a run, document by document. Workers take jobs with
-- FOR UPDATE SKIP LOCKED, so that no two of them get the same one.
CREATE TABLE ingestion_jobs (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    run_id uuid NOT NULL,
    document_id uuid NOT NULL,
    status text DEFAULT 'pending' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 5 NOT NULL,
    run_after timestamptz DEFAULT now() NOT NULL,
    error text,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    CONSTRAINT ingestion_jobs_pkey PRIMARY KEY (id),
    CONSTRAINT ingestion_jobs_run_id_document_id_key UNIQUE (run_id, document_id),
    CONSTRAINT ingestion_jobs_run_id_fkey
        FOREIGN KEY (run_id) REFERENCES ingestion_runs (id) ON DELETE CASCADE,
    CONSTRAINT ingestion_jobs_document_id_fkey
        FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ingestion_jobs_status_check
        CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'skipped')),
    CONSTRAINT ingestion_jobs_attempts_check CHECK (attempts BETWEEN 0 AND max_attempts),
    CONSTRAINT ingestion_jobs_max_attempts_check CHECK (max_attempts > 0),
    CONSTRAINT ingestion_jobs_error_check CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ingestion_jobs_finished_at_check
        CHECK ((finished_at IS NULL) = (status IN ('pending', 'running')))
);

-- The next job that is due.
CREATE INDEX ingestion_jobs_pending_run_after_id_idx ON ingestion_jobs (run_after, id)
    WHERE status = 'pending';

-- Jobs of a worker that died: running, and not touched for long.
CREATE INDEX ingestion_jobs_running_updated_at_idx ON ingestion_jobs (updated_at)
    WHERE status = 'running';

CREATE INDEX ingestion_jobs_document_id_idx ON ingestion_jobs (document_id);

CREATE TRIGGER ingestion_jobs_set_updated_at
    BEFORE UPDATE ON ingestion_jobs
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE ingestion_jobs IS
    'What a run has to do, one job per document: its state, its attempts, its last error.';
COMMENT ON COLUMN ingestion_jobs.run_after IS
    'Not before then: a failed attempt moves it into the future, each time further.';
COMMENT ON COLUMN ingestion_jobs.error IS
    'What went wrong last; kept when a later attempt succeeds.';

-- +down
DROP TABLE ingestion_jobs;
