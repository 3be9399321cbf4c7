//! Schemas, extensions, types, sequences, collations and text search.

use super::Pair;

pub(super) const PAIRS: &[Pair] = &[
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
        name: "a composite type that moves, and its enum loses a label",
        a: "CREATE SCHEMA app;
CREATE TYPE mood AS ENUM ('bad', 'ok');
CREATE TYPE pair AS (x integer, y mood);
CREATE TABLE t (c pair);",
        b: "CREATE SCHEMA app;
CREATE TYPE mood AS ENUM ('ok');
CREATE TYPE app.pair AS (x integer, y mood);
CREATE TABLE t (c app.pair);",
        rows: "INSERT INTO t VALUES ('(1,ok)')",
        kept: "SELECT c::text FROM t",
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
        name: "a domain in an array gets a constraint",
        a: "CREATE DOMAIN score AS integer;
CREATE TABLE t (a score[], b score);",
        b: "CREATE DOMAIN score AS integer CONSTRAINT small CHECK (VALUE < 9);
CREATE TABLE t (a score[], b score);",
        rows: "INSERT INTO t VALUES ('{1,2}', 3)",
        kept: "SELECT t::text FROM t",
        ..Pair::EMPTY
    },
    Pair {
        name: "types of types are replaced",
        a: "CREATE TYPE pair AS (x integer, y text);
CREATE TYPE box AS (p pair, q pair[]);
CREATE TABLE t (a box);",
        b: "CREATE TYPE pair AS (x bigint, y text);
CREATE TYPE box AS (p pair, q pair[]);
CREATE TABLE t (a box);",
        never: &["DROP TABLE", "DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "a column goes from a replaced type to one that is made of it",
        a: "CREATE TYPE mood AS ENUM ('ok', 'bad');
CREATE TYPE pair AS (m mood);
CREATE TABLE t (a mood);",
        b: "CREATE TYPE mood AS ENUM ('ok');
CREATE TYPE pair AS (x integer, m mood);
CREATE TABLE t (a pair);",
        never: &["DROP TABLE", "DROP COLUMN"],
        ..Pair::EMPTY
    },
    Pair {
        name: "an enum grows under a type that is replaced",
        a: "CREATE TYPE plan AS ENUM ('ok');
CREATE TYPE pair AS (x integer, y plan[]);
CREATE TABLE t (a pair);",
        b: "CREATE TYPE plan AS ENUM ('ok', 'good');
CREATE TYPE pair AS (x text, y plan[]);
CREATE TABLE t (a plan);
CREATE TABLE u (a pair);",
        never: &["DROP TABLE public.t", "DROP COLUMN"],
        ..Pair::EMPTY
    },
];
