-- What was last recorded of each revision of one version table.
SELECT DISTINCT ON (revision) revision, direction, started, duration_ms, checksum, role, os_user, host, dbops_version
FROM dbops.migration_log
WHERE version_table = $1
ORDER BY revision, id DESC
