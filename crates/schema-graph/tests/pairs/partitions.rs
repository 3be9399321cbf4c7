//! Partitions and inheritance.

use super::Pair;

pub(super) const PAIRS: &[Pair] = &[
    Pair {
        name: "inheritance",
        a: "CREATE TABLE p (a integer NOT NULL CHECK (a > 0));
CREATE TABLE c (b integer) INHERITS (p);",
        b: "CREATE TABLE p (a bigint NOT NULL CHECK (a > 0), n text DEFAULT 'x');
CREATE TABLE c (b integer, d date) INHERITS (p);",
        never: &["DROP TABLE"],
        ..Pair::EMPTY
    },
    Pair {
        name: "children come and go",
        a: "CREATE TABLE p (a integer);",
        b: "CREATE TABLE p (a integer);
CREATE TABLE c (b integer NOT NULL) INHERITS (p);
ALTER TABLE c ALTER a SET DEFAULT 5;",
        ..Pair::EMPTY
    },
    Pair {
        name: "partitions",
        a: "CREATE TABLE p (a integer, b text) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);",
        b: "CREATE TABLE p (a integer, b text) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (20);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (20) TO (30) PARTITION BY LIST (b);
CREATE TABLE p2x PARTITION OF p2 FOR VALUES IN ('x');
CREATE TABLE pd PARTITION OF p DEFAULT;
CREATE INDEX i ON p (b);",
        never: &["DROP TABLE public.p1", "DROP TABLE public.p;"],
        ..Pair::EMPTY
    },
    Pair {
        name: "hash partitions with keys, triggers and defaults of their own",
        b: "CREATE TABLE p (a integer NOT NULL, b text DEFAULT 'x', PRIMARY KEY (a)) PARTITION BY HASH (a);
CREATE TABLE p0 PARTITION OF p (b DEFAULT 'y') FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
CREATE TABLE r (a integer REFERENCES p);",
        ..Pair::EMPTY
    },
    Pair {
        name: "tables are attached and detached",
        a: "CREATE TABLE p (a integer NOT NULL) PARTITION BY RANGE (a);
CREATE TABLE t (a integer NOT NULL);",
        b: "CREATE TABLE p (a integer NOT NULL) PARTITION BY RANGE (a);
CREATE TABLE t (a integer NOT NULL);
ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM (0) TO (9);",
        says: &["ATTACH PARTITION", "DETACH PARTITION"],
        never: &["DROP TABLE"],
        ..Pair::EMPTY
    },
    Pair {
        name: "column types under views of partitions and children",
        a: "CREATE TABLE p (a integer, b jsonb) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p DEFAULT PARTITION BY LIST (a);
CREATE TABLE p11 PARTITION OF p1 DEFAULT;
CREATE VIEW v AS SELECT b FROM p11;
CREATE TABLE q (a integer);
CREATE TABLE c (b text) INHERITS (q);
CREATE MATERIALIZED VIEW w AS SELECT a FROM c;",
        b: "CREATE TABLE p (a integer, b text) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p DEFAULT PARTITION BY LIST (a);
CREATE TABLE p11 PARTITION OF p1 DEFAULT;
CREATE VIEW v AS SELECT b FROM p11;
CREATE TABLE q (a bigint);
CREATE TABLE c (b text) INHERITS (q);
CREATE MATERIALIZED VIEW w AS SELECT a FROM c;",
        never: &["DROP TABLE", "DROP COLUMN", "ALTER TABLE public.c ", "ALTER TABLE public.p1"],
        ..Pair::EMPTY
    },
    Pair {
        name: "settings that a partition has of its own",
        a: "CREATE TABLE p (a integer, b text) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;
ALTER TABLE p1 ALTER b SET STATISTICS 200;",
        b: "CREATE TABLE p (a integer, b text STORAGE EXTERNAL) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;
ALTER TABLE ONLY p ALTER b SET STATISTICS 300;
ALTER TABLE p1 ALTER b SET STATISTICS 200;
COMMENT ON COLUMN p1.b IS 'b';",
        ..Pair::EMPTY
    },
    Pair {
        name: "a partition goes whose table foreign keys refer to",
        a: "CREATE TABLE p (a integer PRIMARY KEY) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p DEFAULT PARTITION BY LIST (a);
CREATE TABLE p3 PARTITION OF p2 DEFAULT;
CREATE TABLE r (a integer REFERENCES p);",
        b: "CREATE TABLE p (a integer PRIMARY KEY) PARTITION BY RANGE (a);
CREATE TABLE p2 PARTITION OF p DEFAULT PARTITION BY LIST (a);
CREATE TABLE r (a integer REFERENCES p);",
        ..Pair::EMPTY
    },
    Pair {
        name: "a constraint that is valid in a partition only",
        a: "CREATE TABLE p (a integer) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;",
        b: "CREATE TABLE p (a integer) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;
ALTER TABLE p ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
ALTER TABLE p1 VALIDATE CONSTRAINT c;
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (0) TO (10);",
        ..Pair::EMPTY
    },
    Pair {
        name: "a child's own key on its parent's column",
        b: "CREATE TABLE p (a integer NOT NULL);
CREATE TABLE c (b integer) INHERITS (p);
ALTER TABLE c ADD PRIMARY KEY (a);",
        ..Pair::EMPTY
    },
    Pair {
        name: "a policy of a table looks at its partition",
        b: "CREATE TABLE p (a integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY) PARTITION BY HASH (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE POLICY own ON p USING (EXISTS (SELECT FROM p1 o WHERE o.a = 3));",
        ..Pair::EMPTY
    },
    Pair {
        name: "a partition leaves with what it has from its parent",
        common: "CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';",
        a: "CREATE TABLE p (a integer PRIMARY KEY, b integer REFERENCES p, CONSTRAINT c CHECK (f(a) > 0)) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;
CREATE INDEX ON p (b);",
        b: "CREATE TABLE p (a integer PRIMARY KEY, b integer, d text) PARTITION BY RANGE (a);
CREATE TABLE p1 (a integer NOT NULL, b integer);",
        rows: "INSERT INTO p VALUES (1, 1)",
        kept: "SELECT (a, b)::text FROM p1",
        never: &["DROP TABLE"],
        ..Pair::EMPTY
    },
    Pair {
        name: "a plain table becomes partitioned",
        a: "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b varchar(9) NOT NULL UNIQUE, c serial, g integer GENERATED ALWAYS AS (a + 1) STORED);
CREATE TABLE r (a integer REFERENCES t (a));
CREATE INDEX i ON t (c);
CREATE VIEW v AS SELECT a, b FROM t;
COMMENT ON TABLE t IS 'kept';
GRANT SELECT ON t TO pg_monitor;",
        b: "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b text NOT NULL, c serial, g integer GENERATED ALWAYS AS (a + 1) STORED) PARTITION BY RANGE (a);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (2) PARTITION BY LIST (a);
CREATE TABLE t11 PARTITION OF t1 DEFAULT;
CREATE TABLE t2 PARTITION OF t DEFAULT;
CREATE TABLE r (a integer REFERENCES t (a));
CREATE INDEX i ON t (c);
CREATE VIEW v AS SELECT a, b FROM t;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER never BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
COMMENT ON TABLE t IS 'kept';
GRANT SELECT ON t TO pg_monitor;",
        rows: "INSERT INTO t (b) VALUES ('one'), ('two'), ('three'); INSERT INTO r VALUES (1), (3)",
        kept: "SELECT (t.*, r.*, i.last_value, i.is_called, s.last_value)::text
FROM t LEFT JOIN r ON r.a = t.a, t_a_seq i, t_c_seq s ORDER BY t.a",
        ..Pair::EMPTY
    },
    Pair {
        name: "a partition key's column has another type, and the table another way to be partitioned",
        common: "CREATE TYPE mood AS ENUM ('ok', 'bad');",
        a: "CREATE TABLE t (a integer, m mood) PARTITION BY RANGE (a);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (2);
CREATE TABLE t2 PARTITION OF t DEFAULT;
CREATE TABLE s (a integer, b text) PARTITION BY LIST (a);
CREATE TABLE s1 PARTITION OF s DEFAULT;",
        b: "CREATE TABLE t (a bigint, m mood) PARTITION BY RANGE (a);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (2);
CREATE TABLE t2 PARTITION OF t DEFAULT;
CREATE TABLE s (a integer, b text) PARTITION BY HASH (b);
CREATE TABLE s1 PARTITION OF s FOR VALUES WITH (MODULUS 1, REMAINDER 0);",
        rows: "INSERT INTO t VALUES (1, 'ok'), (5, 'bad'); INSERT INTO s VALUES (1, 'x'), (2, 'y')",
        kept: "SELECT (t.*)::text FROM t UNION ALL SELECT (s.*)::text FROM s",
        ..Pair::EMPTY
    },
    Pair {
        name: "a child's own column becomes its parent's",
        a: "CREATE TABLE p (a integer);
CREATE TABLE c (b text) INHERITS (p);
CREATE TABLE q (x integer);
CREATE TABLE d (x integer, y text);",
        b: "CREATE TABLE p (a integer, b text);
CREATE TABLE c () INHERITS (p);
CREATE TABLE q (x integer);
CREATE TABLE d (y text) INHERITS (q);",
        rows: "INSERT INTO c (a, b) VALUES (1, 'x'); INSERT INTO d (x, y) VALUES (2, 'y')",
        kept: "SELECT (a, b)::text FROM c UNION ALL SELECT (x, y)::text FROM d",
        ..Pair::EMPTY
    },
    Pair {
        name: "a table becomes a partition, and is given what it lacks for that",
        a: "CREATE TABLE p (a integer NOT NULL, b text, CONSTRAINT c CHECK (a > 0)) PARTITION BY RANGE (a);
CREATE TABLE t (a integer);",
        b: "CREATE TABLE p (a integer NOT NULL, b text, CONSTRAINT c CHECK (a > 0)) PARTITION BY RANGE (a);
CREATE TABLE t PARTITION OF p DEFAULT;",
        rows: "INSERT INTO t VALUES (1)",
        kept: "SELECT a::text FROM t",
        never: &["DROP TABLE"],
        ..Pair::EMPTY
    },
];
