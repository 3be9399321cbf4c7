-- The schema of vector_db, the Support Bot's documents and their embeddings, as it
-- is declared.
--
-- The revisions in versions/ lead to exactly this. To change the schema, change
-- this file and let dbops write the revision: dbops migrate revision
-- --autogenerate -m "...". PostgreSQL 15 or later with pgvector 0.5 or later.
--
-- A column that is added later stands last in its table, here as in a database
-- that has been upgraded: PostgreSQL cannot insert one in the middle. Every
-- foreign key says what becomes of the row, and has an index that begins with it.

-- Extensions and functions that tables share
-- ------------------------------------------

CREATE EXTENSION IF NOT EXISTS vector;

CREATE FUNCTION set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION set_updated_at() IS
    'Keeps updated_at true whoever writes the row, so that a synchronisation can go by it.';

-- Documents and embeddings
-- ------------------------

-- What the bot may quote: one row per page, file or article that was taken in.
CREATE TABLE documents (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    source text NOT NULL,
    uri text NOT NULL,
    title text,
    mime_type text,
    language text,
    content_hash bytea NOT NULL,
    metadata jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT documents_pkey PRIMARY KEY (id),
    CONSTRAINT documents_source_uri_key UNIQUE (source, uri),
    CONSTRAINT documents_source_check CHECK (source <> ''),
    CONSTRAINT documents_uri_check CHECK (uri <> ''),
    CONSTRAINT documents_content_hash_check CHECK (octet_length(content_hash) = 32),
    CONSTRAINT documents_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);

-- What changed since the last synchronisation. updated_at is the start of the
-- writing transaction: look back a little further than the last run.
CREATE INDEX documents_updated_at_id_idx ON documents (updated_at, id);

-- Filters such as metadata @> '{"product": "mail"}'.
CREATE INDEX documents_metadata_idx ON documents USING gin (metadata jsonb_path_ops);

CREATE TRIGGER documents_set_updated_at
    BEFORE UPDATE ON documents
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE documents IS
    'Documents that answers may draw on. Their text is in chunks; deleting a document deletes its chunks.';
COMMENT ON COLUMN documents.source IS
    'Where it comes from: upload, website, the name of a connector.';
COMMENT ON COLUMN documents.uri IS
    'Its address within the source, which stays the same when the content changes.';
COMMENT ON COLUMN documents.content_hash IS
    'SHA-256 of the document as fetched: when it has not changed, there is nothing to ingest.';

-- The pieces that are searched. The id is also the id of the point in Qdrant.
CREATE TABLE chunks (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    document_id uuid NOT NULL,
    chunk_index integer NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    token_count integer,
    metadata jsonb DEFAULT '{}' NOT NULL,
    embedding vector(384),
    embedding_model text,
    embedded_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT chunks_pkey PRIMARY KEY (id),
    CONSTRAINT chunks_document_id_chunk_index_key UNIQUE (document_id, chunk_index),
    CONSTRAINT chunks_document_id_fkey
        FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT chunks_chunk_index_check CHECK (chunk_index >= 0),
    CONSTRAINT chunks_content_check CHECK (content <> ''),
    CONSTRAINT chunks_content_hash_check CHECK (octet_length(content_hash) = 32),
    CONSTRAINT chunks_token_count_check CHECK (token_count >= 0),
    CONSTRAINT chunks_metadata_check CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT chunks_embedding_check CHECK (
        (embedding IS NULL) = (embedding_model IS NULL)
        AND (embedding IS NULL) = (embedded_at IS NULL)
    )
);

-- The nearest chunks by cosine distance: ORDER BY embedding <=> $1 LIMIT 10.
CREATE INDEX chunks_embedding_idx ON chunks
    USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 128);

-- The chunks that still wait for an embedding.
CREATE INDEX chunks_unembedded_id_idx ON chunks (id) WHERE embedding IS NULL;

CREATE INDEX chunks_updated_at_id_idx ON chunks (updated_at, id);
CREATE INDEX chunks_metadata_idx ON chunks USING gin (metadata jsonb_path_ops);

CREATE TRIGGER chunks_set_updated_at
    BEFORE UPDATE ON chunks
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE chunks IS
    'Pieces of documents with their embeddings; the id is also the id of the point in Qdrant.';
COMMENT ON COLUMN chunks.chunk_index IS
    'Its place in the document, from 0.';
COMMENT ON COLUMN chunks.content_hash IS
    'SHA-256 of content in UTF-8, kept by a trigger: equal hashes need no new embedding.';
COMMENT ON COLUMN chunks.embedding IS
    '384 dimensions, compared by cosine; NULL until it has been computed.';
COMMENT ON COLUMN chunks.embedding_model IS
    'The model that made the embedding, such as sentence-transformers/all-MiniLM-L6-v2. Vectors of different models must not be compared.';

-- An embedding belongs to a text. The hash is computed here, so that it cannot
-- disagree with the content, and a new content without a new embedding puts the
-- chunk back among those that wait for one.
CREATE FUNCTION track_chunk_content() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    NEW.content_hash := sha256(convert_to(NEW.content, 'UTF8'));
    IF TG_OP = 'UPDATE'
        AND NEW.content_hash <> OLD.content_hash
        AND NEW.embedding IS NOT DISTINCT FROM OLD.embedding
    THEN
        NEW.embedding := NULL;
        NEW.embedding_model := NULL;
        NEW.embedded_at := NULL;
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER chunks_track_content
    BEFORE INSERT OR UPDATE OF content, content_hash ON chunks
    FOR EACH ROW
    EXECUTE FUNCTION track_chunk_content();

COMMENT ON FUNCTION track_chunk_content() IS
    'Computes chunks.content_hash and drops the embedding of a text that no longer stands.';

-- What Qdrant holds: a point for each row, under its id; see qdrant/collections.yaml.
CREATE VIEW chunk_points AS
SELECT
    c.id,
    c.document_id,
    c.chunk_index,
    c.content,
    d.source,
    d.language,
    c.embedding_model,
    c.embedding,
    c.created_at,
    greatest(c.updated_at, d.updated_at) AS updated_at
FROM chunks AS c
JOIN documents AS d ON d.id = c.document_id
WHERE c.embedding IS NOT NULL;

COMMENT ON VIEW chunk_points IS
    'The points of the Qdrant collection document_chunks: chunks that have an embedding, with what is filtered by.';

-- Ingestion
-- ---------

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
