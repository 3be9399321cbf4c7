-- How much of the 2^31 transaction ids, or multixact ids, that a database can be behind it is behind.
SELECT d.datname::text AS name,
       age(d.datfrozenxid)::float8 AS transactions,
       mxid_age(d.datminmxid)::float8 AS multixacts
FROM pg_catalog.pg_database d
WHERE d.datallowconn
