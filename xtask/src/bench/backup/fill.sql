CREATE EXTENSION vector;

CREATE TABLE base AS
SELECT n, (SELECT array_agg((random() * 2 - 1)::real) FROM generate_series(1, 384) WHERE n = n)::vector(384) AS vector
FROM generate_series(1, 1000) AS n;

CREATE TABLE chunks (
    id bigint PRIMARY KEY,
    document uuid NOT NULL,
    content text NOT NULL,
    embedding vector(384) NOT NULL,
    metadata jsonb NOT NULL,
    created timestamptz NOT NULL
);

INSERT INTO chunks
SELECT
    i,
    gen_random_uuid(),
    (SELECT string_agg(md5((i * 20 + k)::text), ' ') FROM generate_series(1, 12) AS k),
    a.vector + b.vector,
    jsonb_build_object('page', i % 100, 'source', 'doc ' || i, 'tags', ARRAY['a', 'b']),
    now() - i * interval '1 second'
FROM generate_series(1, 400000) AS i
JOIN base AS a ON a.n = i % 1000 + 1
JOIN base AS b ON b.n = (i / 1000) % 997 + 1;

CREATE TYPE author AS ENUM ('user', 'assistant', 'system');

CREATE TABLE messages (
    id bigserial PRIMARY KEY,
    author author,
    price numeric(12, 4),
    body text,
    score double precision,
    is_read boolean,
    day date
);

INSERT INTO messages (author, price, body, score, is_read, day)
SELECT
    (enum_range(NULL::author))[i % 3 + 1],
    i / 7.0,
    repeat(md5(i::text), 3),
    random(),
    i % 2 = 0,
    date '2020-01-01' + i % 2000
FROM generate_series(1, 1000000) AS i;

DROP TABLE base;

CREATE INDEX chunks_document ON chunks (document);
CREATE INDEX messages_day ON messages (day, author);
-- Of a part: an index of all takes several minutes to build, whoever asks for it.
CREATE INDEX chunks_near ON chunks USING hnsw (embedding vector_cosine_ops) WHERE id <= 10000;
