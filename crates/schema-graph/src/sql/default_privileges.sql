-- Default privileges: those that differ from what PostgreSQL gives by itself, one attribute each. The parts are the
-- role, the letter of the sort of object, and whether the role is the one that reads.
SELECT 'pg_default_acl'::regclass::oid AS class, d.oid AS object, 0 AS sub,
       'default privileges' AS kind, coalesce(n.nspname, '')::text AS schema, NULL::text AS on_table,
       format('%s for %s', lower(word), r.rolname) AS name,
       '' AS definition,
       '' AS shape,
       '' AS removal,
       (SELECT array_agg(item ORDER BY e.sort, e.privilege_type, e.grantee, number)
        FROM (
            SELECT 1 AS sort, a.grantee, a.privilege_type, a.is_grantable
            FROM aclexplode(d.defaclacl) a
            EXCEPT SELECT 1, b.grantee, b.privilege_type, b.is_grantable FROM aclexplode(base) b
            UNION ALL
            (SELECT 2, b.grantee, b.privilege_type, b.is_grantable FROM aclexplode(base) b
             EXCEPT SELECT 2, a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(d.defaclacl) a)
        ) e
        CROSS JOIN LATERAL (
            SELECT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END AS who
        ) w
        CROSS JOIN LATERAL format('%s GRANT %s ON %s TO %s%s', target, e.privilege_type, word, who,
                                  CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END) granting
        CROSS JOIN LATERAL format('%s REVOKE %s ON %s FROM %s', target, e.privilege_type, word, who) revoking
        CROSS JOIN LATERAL unnest(ARRAY[
            format(CASE e.sort WHEN 1 THEN 'grant %s to %s' ELSE 'revoke %s from %s' END, e.privilege_type, who),
            e.is_grantable::text,
            CASE e.sort WHEN 1 THEN granting ELSE revoking END, CASE e.sort WHEN 1 THEN revoking ELSE granting END,
            'reset first'
        ]) WITH ORDINALITY AS l (item, number)) AS attributes,
       ARRAY[d.defaclobjtype::text, (d.defaclrole = current_user::regrole)::text] AS parts
FROM pg_default_acl d
JOIN pg_roles r ON r.oid = d.defaclrole
LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.defaclnamespace = 0
                THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)
                END AS base,
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                WHEN 'T' THEN 'TYPES' WHEN 'L' THEN 'LARGE OBJECTS' ELSE 'SCHEMAS' END AS word,
           format('ALTER DEFAULT PRIVILEGES FOR ROLE %I', r.rolname)
               || CASE WHEN n.oid IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END AS target
) t
WHERE n.nspname IS DISTINCT FROM 'dbops'
