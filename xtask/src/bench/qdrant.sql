CREATE EXTENSION vector;

CREATE TABLE base AS
SELECT n, (SELECT array_agg((random() * 2 - 1)::real) FROM generate_series(1, 384) WHERE n = n)::vector(384) AS vector
FROM generate_series(1, 1000) AS n;

-- Vectors that are all different, as an embedding model's are.
CREATE TABLE chunks (
    id uuid PRIMARY KEY,
    content text NOT NULL,
    page integer NOT NULL,
    embedding vector(384) NOT NULL
);

-- Few numbers each: what counts here is how many there are.
CREATE TABLE points (
    id uuid PRIMARY KEY,
    page integer NOT NULL,
    embedding vector(4) NOT NULL
);
