-- How far each sequence is, up to its own end or that of the column that it fills.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       has_sequence_privilege(c.oid, 'SELECT, USAGE') AS is_seen,
       CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN
           CASE WHEN s.seqincrement > 0
               THEN pg_sequence_last_value(c.oid) * 100.0::float8 / least(s.seqmax, o.most)
               ELSE pg_sequence_last_value(c.oid) * 100.0::float8 / nullif(greatest(s.seqmin, -o.most - 1), 0) END
       END AS used,
       o.holder
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 END AS most,
           format('%I.%I', t.relname, a.attname) AS holder
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
      AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    LIMIT 1
) o ON true
WHERE NOT s.seqcycle
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
