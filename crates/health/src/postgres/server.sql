-- What the checks have to know of the server before they ask for more.
SELECT pg_catalog.current_setting('server_version_num')::int4 AS version,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS reads_statistics,
       extract(epoch FROM pg_catalog.pg_postmaster_start_time())::float8 AS started,
       CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('data_directory') END AS data_folder
