//! Constraints.

use super::Pair;

pub(super) const PAIRS: &[Pair] = &[
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
];
