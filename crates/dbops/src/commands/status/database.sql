-- The server's numbers that a status begins with. Sizes of databases need CONNECT, which is there.
SELECT pg_catalog.current_setting('server_version_num')::int4 AS version,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
         WHERE backend_type = 'client backend') AS connections,
       pg_catalog.current_setting('max_connections')::int8 AS most,
       pg_catalog.pg_is_in_recovery() AS is_standby
