//! Views, functions, triggers, rules and policies.

use super::Pair;

pub(super) const PAIRS: &[Pair] = &[
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
];
