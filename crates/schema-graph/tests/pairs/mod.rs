//! Pairs of schemas: at least one for each kind of change.

/// Two schemas, and what the statements between them have to say.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    /// In both.
    pub(crate) common: &'static str,
    pub(crate) a: &'static str,
    pub(crate) b: &'static str,
    /// In one of the two directions.
    pub(crate) says: &'static [&'static str],
    /// In neither.
    pub(crate) never: &'static [&'static str],
}

impl Pair {
    const EMPTY: Self = Self { name: "", common: "", a: "", b: "", says: &[], never: &[] };
}

pub(crate) const PAIRS: &[Pair] = &[
    Pair {
        name: "schemas",
        b: "CREATE SCHEMA app;
CREATE TABLE app.t (a integer);
COMMENT ON SCHEMA app IS 'ours';",
        ..Pair::EMPTY
    },
    Pair {
        name: "extensions",
        a: "CREATE SCHEMA s;
CREATE EXTENSION pg_trgm;",
        b: "CREATE SCHEMA s;
CREATE EXTENSION pg_trgm SCHEMA s;
CREATE EXTENSION vector;",
        says: &["ALTER EXTENSION pg_trgm SET SCHEMA s"],
        ..Pair::EMPTY
    },
    Pair {
        name: "enum labels added",
        a: "CREATE TYPE mood AS ENUM ('ok');",
        b: "CREATE TYPE mood AS ENUM ('bad', 'ok', 'it''s good');",
        says: &["ADD VALUE 'bad' BEFORE 'ok'", "ADD VALUE 'it''s good'"],
        ..Pair::EMPTY
    },
    Pair {
        name: "enum label removed from columns with defaults, arrays, views and indexes",
        a: "CREATE TYPE mood AS ENUM ('bad', 'ok', 'good');
CREATE TABLE t (a mood DEFAULT 'ok' NOT NULL, b mood[], c integer);
CREATE INDEX t_a ON t (a) WHERE a <> 'bad';
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f(mood) RETURNS mood LANGUAGE sql IMMUTABLE AS 'SELECT $1';
ALTER TABLE t ADD CHECK (a <> 'good' OR c > 0);",
        b: "CREATE TYPE mood AS ENUM ('bad', 'ok');
CREATE TABLE t (a mood DEFAULT 'ok' NOT NULL, b mood[], c integer);
CREATE INDEX t_a ON t (a) WHERE a <> 'bad';
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f(mood) RETURNS mood LANGUAGE sql IMMUTABLE AS 'SELECT $1';",
        says: &["USING a::text::"],
        never: &["DROP TABLE", "DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "domains",
        a: "CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE t (a positive);",
        b: "CREATE DOMAIN positive AS integer DEFAULT 1 NOT NULL CONSTRAINT small CHECK (VALUE < 9);
CREATE TABLE t (a positive);",
        never: &["DROP DOMAIN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "a domain on another type",
        a: "CREATE DOMAIN code AS varchar(5);
CREATE TABLE t (a code);",
        b: r#"CREATE DOMAIN code AS text COLLATE "C";
CREATE TABLE t (a code);"#,
        never: &["DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "composite types",
        a: "CREATE TYPE pair AS (x integer, y integer);",
        b: "CREATE TYPE pair AS (x integer, y text, z date);",
        says: &["ALTER ATTRIBUTE y TYPE text", "ADD ATTRIBUTE z"],
        ..Pair::EMPTY
    },
    Pair {
        name: "range types",
        b: "CREATE TYPE floats AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TABLE t (a floats, b floats);",
        ..Pair::EMPTY
    },
    Pair {
        name: "sequences",
        a: "CREATE SEQUENCE s;",
        b: "CREATE SEQUENCE s AS integer INCREMENT BY 5 MINVALUE 10 MAXVALUE 1000 START WITH 20 CACHE 3 CYCLE;",
        says: &["ALTER SEQUENCE"],
        never: &["DROP SEQUENCE"],
        ..Pair::EMPTY
    },
    Pair {
        name: "serial columns come and go",
        a: "CREATE TABLE t (a integer NOT NULL);",
        b: "CREATE TABLE t (a serial);",
        ..Pair::EMPTY
    },
    Pair {
        name: "owned sequences",
        a: "CREATE SEQUENCE s;
CREATE TABLE t (a integer DEFAULT nextval('s'));",
        b: "CREATE SEQUENCE s;
CREATE TABLE t (a integer DEFAULT nextval('s'));
ALTER SEQUENCE s OWNED BY t.a;",
        ..Pair::EMPTY
    },
    Pair {
        name: "tables",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE UNLOGGED TABLE cache (k text PRIMARY KEY) WITH (fillfactor = 70, autovacuum_enabled = false);
COMMENT ON TABLE users IS 'it''s us';
COMMENT ON COLUMN users.name IS 'n';",
        ..Pair::EMPTY
    },
    Pair {
        name: "table options",
        a: "CREATE TABLE t (a text);",
        b: "CREATE UNLOGGED TABLE t (a text) WITH (fillfactor = 70, toast.autovacuum_enabled = false);",
        says: &["SET UNLOGGED", "SET (fillfactor='70')", "RESET (fillfactor)"],
        never: &["DROP TABLE"],
        ..Pair::EMPTY
    },
    Pair {
        name: "odd names",
        b: r#"CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."a ""quoted"" 'table'" ("select" serial PRIMARY KEY, "Ünï" text DEFAULT '\' NOT NULL);
CREATE INDEX "i x" ON "My Schema"."a ""quoted"" 'table'" ("Ünï");
COMMENT ON COLUMN "My Schema"."a ""quoted"" 'table'"."select" IS '$$';"#,
        ..Pair::EMPTY
    },
    Pair {
        name: "columns come and go",
        a: "CREATE TABLE t (a integer, c text);",
        b: r#"CREATE TABLE t (a integer, b text COLLATE "C" DEFAULT 'x' NOT NULL, d numeric(9,2));"#,
        ..Pair::EMPTY
    },
    Pair {
        name: "column types",
        a: "CREATE TABLE t (a integer, b varchar(5) DEFAULT 'x', c text, d text[]);
CREATE VIEW v AS SELECT a, b FROM t;
CREATE VIEW w AS SELECT a FROM v;
GRANT SELECT ON w TO pg_monitor;
COMMENT ON VIEW v IS 'kept';",
        b: r#"CREATE TABLE t (a bigint, b text DEFAULT 'x', c varchar(9) COLLATE "C", d varchar(3)[]);
CREATE VIEW v AS SELECT a, b FROM t;
CREATE VIEW w AS SELECT a FROM v;
GRANT SELECT ON w TO pg_monitor;
COMMENT ON VIEW v IS 'kept';"#,
        says: &["GRANT SELECT ON TABLE public.w TO pg_monitor"],
        never: &["DROP TABLE", "DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "column settings",
        a: "CREATE TABLE t (a text, b text);",
        b: "CREATE TABLE t (a text STORAGE EXTERNAL COMPRESSION pglz, b text);
ALTER TABLE t ALTER b SET STATISTICS 500, ALTER b SET (n_distinct = 5);",
        never: &["DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "identity columns",
        a: "CREATE TABLE t (a integer NOT NULL, b integer, c integer GENERATED ALWAYS AS IDENTITY);",
        b: "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY, b integer GENERATED BY DEFAULT AS IDENTITY (START WITH 7 INCREMENT BY 2), c integer);",
        never: &["DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "generated columns",
        a: "CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a + 1) STORED, c integer GENERATED ALWAYS AS (a) VIRTUAL);",
        b: "CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a + 2) STORED, c integer GENERATED ALWAYS AS (a * 2) VIRTUAL);",
        says: &["SET EXPRESSION AS"],
        never: &["DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "a generated column becomes plain",
        a: "CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a + 1) STORED);",
        b: "CREATE TABLE t (a integer, b integer);",
        says: &["DROP EXPRESSION"],
        ..Pair::EMPTY
    },
    Pair {
        name: "defaults of functions of tables",
        b: "CREATE TABLE counters (n integer);
CREATE FUNCTION next() RETURNS integer LANGUAGE sql AS 'SELECT max(n) + 1 FROM counters';
CREATE TABLE t (a integer DEFAULT next());
ALTER TABLE counters ALTER n SET DEFAULT next();",
        ..Pair::EMPTY
    },
    Pair {
        name: "keys",
        a: "CREATE TABLE t (a integer NOT NULL, b integer, c integer);",
        b: "CREATE TABLE t (a integer, b integer, c integer, PRIMARY KEY (a), CONSTRAINT u UNIQUE NULLS NOT DISTINCT (b) DEFERRABLE INITIALLY DEFERRED);",
        ..Pair::EMPTY
    },
    Pair {
        name: "keys with further columns and WITHOUT OVERLAPS",
        common: "CREATE EXTENSION btree_gist;",
        a: "CREATE TABLE t (a integer, b integer, r int4range);",
        b: "CREATE TABLE t (a integer, b integer, r int4range, CONSTRAINT k UNIQUE (a) INCLUDE (b), CONSTRAINT p PRIMARY KEY (a, r WITHOUT OVERLAPS));",
        ..Pair::EMPTY
    },
    Pair {
        name: "checks",
        a: "CREATE TABLE t (a integer, CONSTRAINT c CHECK (a > 0));",
        b: "CREATE TABLE t (a integer, CONSTRAINT c CHECK (a > 1), CONSTRAINT d CHECK (a < 9) NO INHERIT, CONSTRAINT e CHECK (a <> 5) NOT ENFORCED);
ALTER TABLE t ADD CONSTRAINT f CHECK (a <> 6) NOT VALID;
COMMENT ON CONSTRAINT c ON t IS 'why';",
        ..Pair::EMPTY
    },
    Pair {
        name: "a constraint is validated",
        a: "CREATE TABLE t (a integer);
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
        b: "CREATE TABLE t (a integer, CONSTRAINT c CHECK (a > 0));",
        says: &["VALIDATE CONSTRAINT c"],
        ..Pair::EMPTY
    },
    Pair {
        name: "checks of texts in lists",
        a: "CREATE TABLE t (s varchar(20));",
        b: "CREATE TABLE t (s varchar(20), CONSTRAINT c CHECK (s IN ('new', 'it''s [done]', 'old')));
CREATE INDEX i ON t (s) WHERE s IN ('new', 'old');",
        ..Pair::EMPTY
    },
    Pair {
        name: "NOT NULL with names",
        a: "CREATE TABLE t (a integer NOT NULL, b integer CONSTRAINT bb NOT NULL, c integer);",
        b: "CREATE TABLE t (a integer CONSTRAINT aa NOT NULL, b integer, c integer CONSTRAINT cc NOT NULL NO INHERIT);",
        says: &["RENAME CONSTRAINT t_a_not_null TO aa"],
        ..Pair::EMPTY
    },
    Pair {
        name: "foreign keys in a circle",
        b: "CREATE TABLE a (id integer PRIMARY KEY, b integer);
CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a ON DELETE CASCADE);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE;
CREATE TABLE self (id integer PRIMARY KEY, parent integer REFERENCES self);",
        ..Pair::EMPTY
    },
    Pair {
        name: "the type of a key and of what refers to it",
        a: "CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (a integer REFERENCES a);",
        b: "CREATE TABLE a (id bigint PRIMARY KEY);
CREATE TABLE b (a bigint REFERENCES a);",
        never: &["DROP TABLE", "DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "exclusion constraints",
        a: "CREATE TABLE t (r int4range);",
        b: "CREATE TABLE t (r int4range, CONSTRAINT x EXCLUDE USING gist (r WITH &&) WHERE (NOT isempty(r)));",
        ..Pair::EMPTY
    },
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
        name: "views on views on functions on tables",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE VIEW v AS SELECT id, f(age) AS age FROM users;
CREATE VIEW w AS SELECT age FROM v;",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE FUNCTION f(integer) RETURNS bigint LANGUAGE sql AS 'SELECT $1::bigint';
CREATE VIEW v WITH (security_barrier) AS SELECT id, f(age) AS age, name FROM users;
CREATE VIEW w AS SELECT age FROM v;",
        ..Pair::EMPTY
    },
    Pair {
        name: "a view with another column at its end",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE VIEW v AS SELECT id FROM users;
CREATE VIEW w AS SELECT id FROM v;",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE VIEW v AS SELECT id, name FROM users;
CREATE VIEW w AS SELECT id FROM v;",
        says: &["CREATE OR REPLACE VIEW"],
        ..Pair::EMPTY
    },
    Pair {
        name: "view options, defaults and comments of columns",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE VIEW v AS SELECT id, name FROM users;",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE VIEW v WITH (check_option = local, security_invoker = true) AS SELECT id, name FROM users;
ALTER VIEW v ALTER name SET DEFAULT 'x';
COMMENT ON COLUMN v.name IS 'n';",
        says: &["ALTER VIEW"],
        never: &["DROP VIEW"],
        ..Pair::EMPTY
    },
    Pair {
        name: "materialized views",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE MATERIALIZED VIEW m AS SELECT id FROM users;
CREATE INDEX i ON m (id);",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE MATERIALIZED VIEW m AS SELECT id, age FROM users WITH NO DATA;
CREATE UNIQUE INDEX i ON m (id);
COMMENT ON MATERIALIZED VIEW m IS 'm';",
        ..Pair::EMPTY
    },
    Pair {
        name: "functions and procedures",
        a: "CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
        b: "CREATE FUNCTION f(b integer, c text DEFAULT 'x') RETURNS TABLE (x integer, y text) LANGUAGE sql STABLE STRICT SECURITY DEFINER SET work_mem = '8MB' AS 'SELECT 1, ''a''';
CREATE PROCEDURE p(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := 1; END';
CREATE FUNCTION g() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1;
SELECT 2;
END;
COMMENT ON FUNCTION g() IS 'g';
GRANT EXECUTE ON FUNCTION g() TO pg_monitor;
REVOKE EXECUTE ON FUNCTION g() FROM PUBLIC;",
        ..Pair::EMPTY
    },
    Pair {
        name: "a function's body",
        a: "CREATE FUNCTION f() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE TABLE t (a integer DEFAULT f());
CREATE INDEX i ON t ((a + f()));",
        b: "CREATE FUNCTION f() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2';
CREATE TABLE t (a integer DEFAULT f());
CREATE INDEX i ON t ((a + f()));",
        says: &["CREATE OR REPLACE FUNCTION"],
        never: &["DROP INDEX", "DROP FUNCTION"],
        ..Pair::EMPTY
    },
    Pair {
        name: "aggregates",
        b: "CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', PARALLEL = SAFE);
CREATE FUNCTION two(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE firsts(integer) (SFUNC = two, STYPE = integer, COMBINEFUNC = two);
COMMENT ON AGGREGATE total(integer) IS 't';",
        ..Pair::EMPTY
    },
    Pair {
        name: "operators, casts and operator classes",
        b: "CREATE TYPE pair AS (x integer, y integer);
CREATE FUNCTION same(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = pair, RIGHTARG = pair, COMMUTATOR = ===);
CREATE FUNCTION totext(pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (pair AS integer) WITH FUNCTION totext(pair) AS ASSIGNMENT;
CREATE FUNCTION cmp(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
CREATE OPERATOR FAMILY fam USING btree;
CREATE OPERATOR CLASS cls FOR TYPE integer USING btree FAMILY fam AS OPERATOR 1 <, OPERATOR 3 =, OPERATOR 5 >, FUNCTION 1 cmp(integer, integer);",
        ..Pair::EMPTY
    },
    Pair {
        name: "triggers",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t AFTER UPDATE ON users REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f('x');
CREATE CONSTRAINT TRIGGER c AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.age > 1) EXECUTE FUNCTION f();
ALTER TABLE users ENABLE ALWAYS TRIGGER c;
COMMENT ON TRIGGER c ON users IS 'c';",
        ..Pair::EMPTY
    },
    Pair {
        name: "a trigger is disabled",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE users DISABLE TRIGGER t;",
        never: &["DROP TRIGGER"],
        ..Pair::EMPTY
    },
    Pair {
        name: "triggers under a changed type",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE UPDATE OF age ON users FOR EACH ROW WHEN (OLD.age > 3) EXECUTE FUNCTION f();",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age bigint);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE UPDATE OF age ON users FOR EACH ROW WHEN (OLD.age > 3) EXECUTE FUNCTION f();",
        ..Pair::EMPTY
    },
    Pair {
        name: "event triggers",
        a: "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';",
        b: "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION f();
ALTER EVENT TRIGGER e DISABLE;",
        ..Pair::EMPTY
    },
    Pair {
        name: "rules",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING;
ALTER TABLE users DISABLE RULE r;
COMMENT ON RULE r ON users IS 'r';",
        ..Pair::EMPTY
    },
    Pair {
        name: "row-level security",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users AS RESTRICTIVE FOR UPDATE TO pg_monitor, pg_read_all_data USING (age > 1) WITH CHECK (age > 2);
COMMENT ON POLICY own ON users IS 'p';",
        ..Pair::EMPTY
    },
    Pair {
        name: "privileges",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE SEQUENCE s;
CREATE TYPE e AS ENUM ('a');",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE SEQUENCE s;
CREATE TYPE e AS ENUM ('a');
GRANT SELECT, INSERT ON users TO pg_monitor WITH GRANT OPTION;
GRANT UPDATE (name) ON users TO PUBLIC;
GRANT USAGE ON SEQUENCE s TO pg_monitor;
REVOKE USAGE ON TYPE e FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO pg_monitor;
REVOKE USAGE ON SCHEMA public FROM PUBLIC;",
        ..Pair::EMPTY
    },
    Pair {
        name: "default privileges",
        a: "CREATE SCHEMA s;",
        b: "CREATE SCHEMA s;
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO pg_monitor;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;",
        ..Pair::EMPTY
    },
    Pair {
        name: "new objects under default privileges",
        common: "CREATE SCHEMA s;
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT, INSERT ON TABLES TO pg_monitor;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;",
        b: "CREATE TABLE s.t (a integer);
CREATE FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE SEQUENCE s.q;
REVOKE SELECT ON s.t FROM pg_monitor;",
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
    Pair {
        name: "publications",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE PUBLICATION p FOR TABLE users;",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
CREATE TABLE o (a integer);
CREATE SCHEMA s;
CREATE PUBLICATION p FOR TABLE users (id, name) WHERE (id > 3), o WITH (publish = 'insert, update', publish_via_partition_root = true);
CREATE PUBLICATION q FOR TABLES IN SCHEMA s;
CREATE PUBLICATION r FOR ALL TABLES;",
        ..Pair::EMPTY
    },
    Pair {
        name: "collations",
        b: "CREATE COLLATION plain (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE TABLE t (a text COLLATE plain);
CREATE COLLATION c2 (LOCALE = 'C');",
        ..Pair::EMPTY
    },
    Pair {
        name: "text search",
        b: "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION c (PARSER = default);
ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR asciiword, word WITH d, simple;
COMMENT ON TEXT SEARCH CONFIGURATION c IS 'c';",
        ..Pair::EMPTY
    },
    Pair {
        name: "text search mappings",
        a: "CREATE TEXT SEARCH CONFIGURATION c (PARSER = default);
ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH simple;",
        b: "CREATE TEXT SEARCH CONFIGURATION c (PARSER = default);
ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH english_stem, simple;",
        never: &["DROP TEXT SEARCH"],
        ..Pair::EMPTY
    },
    Pair {
        name: "foreign data",
        a: "CREATE FOREIGN DATA WRAPPER w;",
        b: "CREATE FOREIGN DATA WRAPPER w OPTIONS (a 'b');
CREATE SERVER s TYPE 't' VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (host 'it''s');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'x');
CREATE FOREIGN TABLE f (a integer OPTIONS (n 'm') NOT NULL, b text DEFAULT 'x') SERVER s OPTIONS (t 'u');
GRANT USAGE ON FOREIGN SERVER s TO pg_monitor;",
        ..Pair::EMPTY
    },
    Pair {
        name: "foreign options",
        common: "CREATE FOREIGN DATA WRAPPER w;",
        a: "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (a '1', b '2');
CREATE FOREIGN TABLE f (a integer) SERVER s OPTIONS (t 'u');",
        b: "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (b '3', c '4');
CREATE FOREIGN TABLE f (a bigint) SERVER s OPTIONS (v 'w');",
        never: &["DROP SERVER", "DROP FOREIGN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "a table becomes a view",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);",
        b: "CREATE VIEW users AS SELECT 1 AS id;",
        ..Pair::EMPTY
    },
    Pair {
        name: "replica identity",
        a: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);",
        b: "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
ALTER TABLE users REPLICA IDENTITY FULL;
CREATE TABLE o (a integer NOT NULL);
CREATE UNIQUE INDEX oi ON o (a);
ALTER TABLE o REPLICA IDENTITY USING INDEX oi;",
        ..Pair::EMPTY
    },
];
