-- Documents of vector_db with their embeddings: `:part` is a number, and each part is larger than the one before.

SELECT setseed(0.:part);

INSERT INTO documents (source, uri, title, language, content_hash)
SELECT 'website', format('https://docs.example.com/:part/%s', n), format('Page %s', n), 'en', sha256(n::text::bytea)
FROM generate_series(1, 12 * :part) AS n;

INSERT INTO chunks (document_id, chunk_index, content, content_hash, embedding, embedding_model, embedded_at)
SELECT
    d.id,
    n,
    format('Section %s of %s', n, d.title),
    sha256('replaced by the trigger'),
    (SELECT array_agg((random() * 2 - 1)::real) FROM generate_series(1, 384) WHERE n = n)::vector(384),
    'sentence-transformers/all-MiniLM-L6-v2',
    now()
FROM documents AS d
CROSS JOIN generate_series(0, 8) AS n
WHERE d.uri LIKE 'https://docs.example.com/:part/%';

ANALYZE;
