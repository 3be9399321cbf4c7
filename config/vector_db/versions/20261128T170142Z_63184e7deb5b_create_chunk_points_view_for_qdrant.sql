-- revision: 63184e7deb5b
-- revises: d713cb33663b
-- branch_labels:
-- depends_on:
-- message: create chunk_points view for Qdrant
-- created: 2026-11-28T17:01:42Z

-- +up
-- What Qdrant holds: a point for each row, under its id.
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

-- +down
DROP VIEW chunk_points;
