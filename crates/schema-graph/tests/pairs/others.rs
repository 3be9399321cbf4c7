//! Privileges, publications and foreign data.

use super::Pair;

pub(super) const PAIRS: &[Pair] = &[
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
];
