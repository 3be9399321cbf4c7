-- revision: 76ef6c5d0278
-- revises: 40c01d8baca4
-- branch_labels:
-- depends_on:
-- message: discard embeddings of changed chunks
-- created: 2026-11-16T11:38:21Z
-- lock_timeout: 5s

-- +up
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

-- +down
DROP TRIGGER chunks_track_content ON chunks;
DROP FUNCTION track_chunk_content();
