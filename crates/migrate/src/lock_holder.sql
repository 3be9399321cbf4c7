-- Who holds the advisory lock $KEY of this database, in words.
SELECT pg_catalog.format(
    '%s, server process %s, from %s, since %s',
    coalesce(nullif(a.application_name, ''), 'unknown program'),
    a.pid,
    coalesce(host(a.client_addr), 'this machine'),
    pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC')
)
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
    AND l.granted
    AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND (l.classid::bigint << 32) | l.objid::bigint = $KEY
