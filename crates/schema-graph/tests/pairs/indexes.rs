//! Indexes and statistics.

use super::Pair;

pub(super) const PAIRS: &[Pair] = &[
    Pair {
        name: "indexes",
        a: "CREATE TABLE t (a integer, b text, j jsonb);
CREATE INDEX i ON t (a);",
        b: "CREATE TABLE t (a integer, b text, j jsonb);
CREATE INDEX i ON t (a DESC NULLS LAST) WITH (fillfactor = 80);
CREATE UNIQUE INDEX u ON t (lower(b)) INCLUDE (a) WHERE a > 0;
CREATE INDEX g ON t USING gin (j jsonb_path_ops);
CREATE INDEX h ON t USING hash (b);
CREATE INDEX br ON t USING brin (a int4_minmax_multi_ops(values_per_range = 16));
ALTER INDEX u ALTER COLUMN 1 SET STATISTICS 300;
ALTER TABLE t CLUSTER ON i;
COMMENT ON INDEX i IS 'why';",
        ..Pair::EMPTY
    },
    Pair {
        name: "vector indexes",
        common: "CREATE EXTENSION vector;",
        a: "CREATE TABLE t (e vector(3));",
        b: "CREATE TABLE t (e vector(3));
CREATE INDEX h ON t USING hnsw (e vector_cosine_ops) WITH (m = 8, ef_construction = 40);
CREATE INDEX f ON t USING ivfflat (e vector_l2_ops) WITH (lists = 10);",
        ..Pair::EMPTY
    },
    Pair {
        name: "extended statistics",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE STATISTICS st (ndistinct, dependencies) ON name, age FROM users;
ALTER STATISTICS st SET STATISTICS 50;
COMMENT ON STATISTICS st IS 's';",
        ..Pair::EMPTY
    },
];
