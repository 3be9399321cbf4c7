-- revision: 40c01d8baca4
-- revises: 7322eb7d94b8
-- branch_labels:
-- depends_on:
-- message: create chunks table with embeddings
-- created: 2026-11-16T11:09:46Z

-- +up
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

-- +down
DROP TABLE chunks;
