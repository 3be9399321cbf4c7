-- revision: 7322eb7d94b8
-- revises: 88655597e05f
-- branch_labels:
-- depends_on:
-- message: create documents table
-- created: 2026-11-16T10:41:15Z

-- +up
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

-- +down
DROP TABLE documents;
