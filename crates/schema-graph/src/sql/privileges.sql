-- Privileges that differ from what PostgreSQL gives by itself: granted beyond that, or taken away from it. What comes
-- with the server is below 16384.
WITH object AS (
    SELECT 'pg_class'::regclass::oid AS class, c.oid, 0 AS sub, c.relacl AS acl, c.relowner AS owner,
           CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS letter, c.relnamespace AS namespace,
           format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname) AS target,
           '' AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relacl IS NOT NULL AND c.oid >= 16384
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, a.attacl, c.relowner, 'c', c.relnamespace,
           format('TABLE %I.%I', n.nspname, c.relname), format(' (%I)', a.attname)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.oid >= 16384
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, p.proacl, p.proowner, 'f', p.pronamespace,
           format('%s %s', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure), ''
    FROM pg_proc p
    WHERE p.proacl IS NOT NULL AND p.oid >= 16384
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 0,
           -- That of `public` is the server's to begin with: PostgreSQL 15 and newer let everyone use it.
           n.nspacl, n.nspowner, 'n', 0, format('SCHEMA %I', n.nspname), ''
    FROM pg_namespace n
    WHERE n.nspacl IS NOT NULL
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, t.typacl, t.typowner, 'T', t.typnamespace,
           format('%s %s', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype), ''
    FROM pg_type t
    WHERE t.typacl IS NOT NULL AND t.oid >= 16384
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 0, w.fdwacl, w.fdwowner, 'F', 0,
           format('FOREIGN DATA WRAPPER %I', w.fdwname), ''
    FROM pg_foreign_data_wrapper w
    WHERE w.fdwacl IS NOT NULL
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid, 0, s.srvacl, s.srvowner, 'S', 0,
           format('FOREIGN SERVER %I', s.srvname), ''
    FROM pg_foreign_server s
    WHERE s.srvacl IS NOT NULL
), entry AS (
    SELECT o.oid, o.class, o.sub, o.owner, o.target, o.columns, 1 AS sort, e.*
    FROM object o
    CROSS JOIN LATERAL (
        SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(o.acl) a
        EXCEPT
        SELECT b.grantee, b.privilege_type, b.is_grantable FROM aclexplode(acldefault(o.letter::"char", o.owner)) b
    ) e
    UNION ALL
    SELECT o.oid, o.class, o.sub, o.owner, o.target, o.columns, 0, e.*
    FROM object o
    CROSS JOIN LATERAL (
        SELECT b.grantee, b.privilege_type, b.is_grantable FROM aclexplode(acldefault(o.letter::"char", o.owner)) b
        EXCEPT
        SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(o.acl) a
    ) e
)
SELECT e.class, e.oid AS object, e.sub,
       format(CASE e.sort WHEN 1 THEN 'grant %s%s to %s' ELSE 'revoke %s%s from %s' END, e.privilege_type, e.columns, who)
           AS name,
       e.is_grantable::text AS value,
       CASE e.sort WHEN 1 THEN granting ELSE revoking END AS set,
       CASE e.sort WHEN 1 THEN revoking ELSE granting END AS reset
FROM entry e
CROSS JOIN LATERAL (
    SELECT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END AS who
) w
CROSS JOIN LATERAL format('GRANT %s%s ON %s TO %s%s', e.privilege_type, e.columns, e.target, who,
                          CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END) granting
CROSS JOIN LATERAL format('REVOKE %s%s ON %s FROM %s', e.privilege_type, e.columns, e.target, who) revoking
ORDER BY e.sort, e.privilege_type, who
