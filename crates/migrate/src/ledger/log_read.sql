-- The log of one version table, the oldest entry first.
SELECT revision, direction, started, duration_ms, checksum, role, os_user, host, dbops_version
FROM dbops.migration_log
WHERE version_table = $1
ORDER BY id
