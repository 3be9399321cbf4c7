-- The settings that are looked at; sizes in bytes. Whether the server is reached at an address of the open Internet; about how
-- large the database is.
SELECT s.name,
       CASE s.unit WHEN '8kB' THEN s.setting::float8 * 8192 WHEN 'kB' THEN s.setting::float8 * 1024 END AS bytes,
       s.setting,
       coalesce(NOT a.address <<= ANY (ARRAY[inet '127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16',
                                             '100.64.0.0/10', '169.254.0.0/16', '::1', 'fc00::/7', 'fe80::/10']), false) AS is_public,
       (SELECT sum(relpages::float8) * 8192 FROM pg_catalog.pg_class WHERE relkind <> 'p')::float8 AS database_bytes
FROM pg_catalog.pg_settings s
CROSS JOIN (SELECT inet_server_addr() AS address) a
WHERE s.name IN (
    'autovacuum', 'fsync', 'full_page_writes', 'ignore_checksum_failure', 'max_connections', 'password_encryption',
    'shared_buffers', 'ssl', 'track_counts', 'work_mem', 'zero_damaged_pages'
)
