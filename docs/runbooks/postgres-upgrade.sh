#!/usr/bin/env bash
# postgres-upgrade.sh TARGET VARIABLE [--switch | --back]
#
# Moves a database to a server of a newer major version of PostgreSQL, by a backup that is restored there. TARGET is the
# target of the configuration, VARIABLE the one that its URL comes from: `bot_db DATABASE_URL_SYNC`.
#
#   NEW_URL   the URL of the database on the new server, with a user who may create databases and roles
#   (no flag) a rehearsal: the application goes on, and what is restored is compared and stays there
#   --switch  the same after an end to all writing: then the application may use NEW_URL
#   --back    lets the old database be written to again
#
# The old database stays as it is. docs/runbooks/postgres-upgrade.md says more.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"
target=${1:-} variable=${2:-} mode=${3:---rehearsal}
[ $# = 2 ] || [ $# = 3 ] || usage
case $mode in --rehearsal | --switch | --back) ;; *) usage ;; esac
[[ $variable =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || usage
need NEW_URL
server=${NEW_URL%%\?*}
case $server in
*://*/?*) ;;
*)
    printf 'error: NEW_URL has to name the database: postgresql://USER:PASSWORD@HOST:PORT/NAME\n' >&2
    exit 2
    ;;
esac
# A URL may have it percent-encoded.
name=${server##*/}
name=${name//\\/\\\\}
printf -v name %b "${name//%/\\x}"
# The database itself may not be there yet.
any_url=${server%/*}/postgres${NEW_URL#"$server"}
back=''
[ "$mode" = --rehearsal ] || back="Writing stays off until \`$0 $target $variable --back\`"

# on URL COMMAND...: runs it with this database as the target.
on() {
    (
        unset "${variable}_FILE"
        export "$variable=$1"
        shift
        "$@"
    )
}

# set_old read-only|writable: for new sessions; those that are open are ended.
set_old() {
    local setting='SET default_transaction_read_only = on'
    [ "$1" = read-only ] || setting='RESET default_transaction_read_only'
    sql "$target" <<SQL
SET default_transaction_read_only = off;
SELECT current_database() AS name \gset
ALTER DATABASE :"name" $setting;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() \g /dev/null
SQL
}

written() {
    sql "$target" <<<"SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
}

known postgres "$target"
if [ "$mode" = --back ]; then
    step "let $target be written to again" "see \`dbops doctor $target\`, then run this again"
    set_old writable
    printf '\n%s may be written to. Whatever was written on the new server is not in it.\n' "$target" >&2
    exit
fi

step "see whether the URL of $target comes from $variable" "see \`dbops config show\`"
shown=$(on postgresql://nowhere.invalid/nowhere dbops config show | awk -v name="$target" '$1 == name { print $3 }') ||
    shown=''
[[ $shown == *nowhere.invalid*/nowhere* ]] ||
    stop "$variable is not the variable of $target's url: \`dbops doctor $target\` names it. Nothing was changed" 2

step "look at both servers" "see \`dbops doctor $target\`, and whether the server of NEW_URL runs and lets you in"
facts="SELECT system_identifier FROM pg_control_system(); SHOW server_version_num; SHOW server_version"
mapfile -t old < <(sql "$target" <<<"$facts")
mapfile -t new < <(on "$any_url" sql "$target" <<<"$facts")
[ "${#old[@]}-${#new[@]}" = 3-3 ] || failed 1
if [ "${old[0]}" = "${new[0]}" ]; then
    printf '\n%s is on the server of NEW_URL already, with PostgreSQL %s.\n' "$target" "${new[2]}" >&2
    exit
fi
printf 'from %s to %s\n' "${old[2]}" "${new[2]}" >&2
if [ $((new[1] / 10000)) -le $((old[1] / 10000)) ]; then
    stop "the new server is no newer major version: within one, the new programs run on the old files" 2
fi

step "look for the extensions on the new server" "see \`dbops doctor $target\`"
wanted=$(sql "$target" <<<"SELECT extname FROM pg_extension ORDER BY 1")
available=$(on "$any_url" sql "$target" <<<"SELECT name FROM pg_available_extensions")
for extension in $wanted; do
    grep -Fxq "$extension" <<<"$available" ||
        stop "the new server does not have the extension $extension: install it there, and run this again"
done

step "see what the database of NEW_URL holds" "see whether the server of NEW_URL lets you in"
over=()
exists=$(on "$any_url" sql "$target" -v name="$name" <<<"SELECT count(*) FROM pg_database WHERE datname = :'name'")
if [ "$exists" = 1 ]; then
    holds=$(on "$NEW_URL" sql "$target" <<<"SELECT CASE WHEN current_setting('dbops.rehearsal', true) = 'yes'
        THEN 'a rehearsal' WHEN EXISTS (SELECT FROM pg_class WHERE oid >= 16384) THEN 'something else' END")
    if [ "$holds" = 'a rehearsal' ]; then
        over=(--overwrite --disconnect)
    elif [ -n "$holds" ]; then
        stop "it holds something that is no rehearsal of this: choose another name, or drop it yourself" 4
    fi
fi

started=$SECONDS
if [ "$mode" = --switch ]; then
    step "end all writing to $target" "the owner of the database, or a superuser, may close it. $back"
    set_old read-only
    before=$(written)
fi

step "back up $target" "the message above says why. Then run this again. $back"
id=$(dbops backup "$target" --json | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
printf '%s\n' "$id" >&2

step "restore it on the new server, and compare every row" "the message above says why; the old database is whole. \
Then run this again. $back"
on "$NEW_URL" dbops restore "$id" "$target" --create-roles "${over[@]}"
on "$NEW_URL" sql "$target" -v name="$name" <<'SQL'
SET default_transaction_read_only = off;
ALTER DATABASE :"name" SET dbops.rehearsal = 'yes';
ALTER DATABASE :"name" RESET default_transaction_read_only;
SQL

step "check the database on the new server" "do what it says, and run this again. $back"
on "$NEW_URL" dbops doctor "$target"
on "$NEW_URL" dbops migrate check -t "$target"

if [ "$mode" = --rehearsal ]; then
    printf '\nthe rehearsal took %s s. Run this with --switch when writing may stop for that long.\n' \
        $((SECONDS - started)) >&2
    exit
fi

step "see that nothing was written meanwhile" "see \`dbops doctor $target\`. $back"
after=$(written)
if [ "$before" != "$after" ]; then
    stop "something wrote to the old database although it is closed to that: a role or an application that says \
default_transaction_read_only itself. Stop it, and run this again. $back"
fi

step "keep rehearsals away from it" "run this again. $back"
on "$NEW_URL" sql "$target" -v name="$name" <<<'ALTER DATABASE :"name" RESET dbops.rehearsal'
printf '\nwriting was off for %s s so far. Now set %s to NEW_URL for the application and for dbops.\n' \
    $((SECONDS - started)) "$variable" >&2
