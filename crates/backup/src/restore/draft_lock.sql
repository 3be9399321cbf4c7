-- The lock of the draft $1: "dbop" in ASCII, and the hash of the name. See left_over.sql.
SELECT pg_catalog.pg_advisory_lock(1684172656, pg_catalog.hashtext($1))
