#!/usr/bin/env bash
# rotate-credentials.sh TARGET ROLE [--like OTHER] [--in-use]
#
# Gives the PostgreSQL role ROLE a new password, and proves that the new one opens the door and another does not. TARGET
# is a PostgreSQL target of the configuration, whose user may change roles.
#
#   NEW_PASSWORD_FILE  a file with the new password, at least 16 characters in one line
#   OLD_PASSWORD_FILE  the password that others know: it has to be refused afterwards
#   --like OTHER       create ROLE if it is not there, with all that OTHER may do
#   --in-use           although ROLE has sessions: they stay, and new ones need the new password
#
# docs/runbooks/rotate-credentials.md has the order that needs no downtime.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"
target=${1:-} role=${2:-} like='' in_use=''
[ -n "$role" ] || usage
shift 2
while [ $# -gt 0 ]; do
    case $1 in
    --like)
        like=${2:-}
        [ -n "$like" ] || usage
        shift
        ;;
    --in-use) in_use=yes ;;
    *) usage ;;
    esac
    shift
done
need NEW_PASSWORD_FILE

# Whether ROLE gets in with this password. A server that does not answer refuses nothing.
gets_in() {
    local said
    said=$(log_in "$1" 2>&1) && return
    if ! grep -Eq 'authentication failed for user|pg_hba\.conf|is not permitted to log in' <<<"$said"; then
        printf '%s\n' "$said" >&2
        stop "this is no refusal of the password: nothing is proved. Mend what is named above, and run this again"
    fi
    return 1
}

# Of the role that dbops itself uses psql has to ask, for it would take what dbops was given; for another one it asks
# when the server does.
log_in() {
    if [ "$role" = "$own" ]; then
        printf '%s\n' "$1" | setsid -w dbops shell "$target" -- -XAtqW -c "SELECT 1"
    else
        printf '%s\n' "$1" | setsid -w dbops shell "$target" -- -XAtq -v ON_ERROR_STOP=1 \
            -c "\\connect - \"${role//\"/\"\"}\"" -c "SELECT 1"
    fi
}

known postgres "$target"

step "read the new password" "write one line into the file: \`openssl rand -hex 24 > FILE\`"
need_file NEW_PASSWORD_FILE
[ -z "${OLD_PASSWORD_FILE:-}" ] || need_file OLD_PASSWORD_FILE
password=$(<"$NEW_PASSWORD_FILE")
another="\`openssl rand -hex 24 > $NEW_PASSWORD_FILE\` writes another one"
[ "${#password}" -ge 16 ] || stop "a password has at least 16 characters: $another" 2
[ "$password" = "${password%%$'\n'*}" ] || stop "a password is one line: $another" 2
old=$(od -An -N16 -tx1 /dev/urandom)
[ -z "${OLD_PASSWORD_FILE:-}" ] || old=$(<"$OLD_PASSWORD_FILE")
[ "$old" != "$password" ] || stop "the old password is the new one: $another" 2
command -v setsid >/dev/null || stop "install setsid (util-linux): without it psql asks the terminal for passwords"

step "log in to $target as dbops does" "see \`dbops doctor $target\`. When an earlier run has changed the password of \
dbops' own role, put the new one where the configuration takes it from, and run this again"
own=$(sql "$target" <<<"SELECT session_user")

if [ -n "$like" ]; then
    step "create the role $role if it is not there" "the user of dbops needs CREATEROLE, and has to be a member of \
$like with ADMIN OPTION, or a superuser"
    sql "$target" -v role="$role" -v like="$like" <<'SQL'
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') AS is_new \gset
\if :is_new
-- What the new role makes belongs to whom the old one's things belong to.
SELECT coalesce((SELECT substr(setting, 6) FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setrole = to_regrole(quote_ident(:'like')) AND setdatabase = 0 AND setting LIKE 'role=%'), :'like') AS owner
\gset
BEGIN;
CREATE ROLE :"role" LOGIN IN ROLE :"owner";
ALTER ROLE :"role" SET role TO :'owner';
COMMIT;
\endif
SQL
fi

step "see whether $role is in use" "see \`dbops doctor $target\`"
can_log_in=$(sql "$target" -v role="$role" <<<"SELECT rolcanlogin FROM pg_roles WHERE rolname = :'role'")
[ "$can_log_in" = t ] ||
    stop "there is no role $role that may log in: correct the name, or create it with --like OTHER" 2
if gets_in "$password"; then
    printf 'the new password is in force already\n' >&2
else
    sessions=$(sql "$target" -v role="$role" <<<"SELECT count(*) FROM pg_stat_activity
        WHERE usename = :'role' AND application_name <> 'dbops' AND backend_type IN ('client backend', 'walsender')")
    if [ "$sessions" != 0 ] && [ -z "$in_use" ]; then
        stop "$role has $sessions sessions, whose next login would fail. Let the application use another role first \
(--like $role makes one), or pass --in-use" 4
    fi
    step "give $role the new password" "nothing was changed; the message above says why"
    set_password "$target" "$role" "$NEW_PASSWORD_FILE"
    printf '%s has the new password\n' "$role" >&2
    if [ "$role" = "$own" ]; then
        stop "put the new password where the configuration takes that of $target from (\`dbops doctor $target\` names \
it), and run this again: it proves the rest"
    fi
    step "log in with the new password" "it is set, and does not open the door: see pg_hba.conf, and whether the role \
may connect to this database"
    gets_in "$password" || failed 1
fi

step "try the old password" "see \`dbops doctor $target\`"
if gets_in "$old"; then
    stop "another password than the new one opens the door: the server asks for none. Replace \`trust\` in pg_hba.conf \
by \`scram-sha-256\`, reload, and run this again"
fi

step "see that dbops still gets in" "do what it says, and run this again"
dbops doctor "$target"
printf '\n%s gets in with the new password only.\n' "$role" >&2
