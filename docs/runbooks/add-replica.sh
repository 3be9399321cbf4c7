#!/usr/bin/env bash
# add-replica.sh TARGET NAME
#
# Makes a streaming replica of a PostgreSQL server on this machine, or sees that it streams. TARGET is the primary, as a
# target of the configuration whose user may create roles; NAME is what the replica and its slot are called, of a-z, 0-9
# and _.
#
#   DATA           the replica's data folder, on the disk that it is to have
#   PRIMARY_HOST   how the replica reaches the primary, and PRIMARY_PORT (5432), PRIMARY_OPTIONS ("sslmode=verify-full")
#   PASSWORD_FILE  the password of the role that it uses, REPLICATION_USER (replicator): created if it is not there
#   PORT           where the replica listens; without it, where the primary does
#   PG_BIN         the programs of the primary's major version (those on PATH)
#   ACCOUNT        who runs the server, when this is run by root (postgres)
#   START          the command that starts it, for instance of systemd (pg_ctl)
#   WAIT           seconds that it may take to catch up (60)
#
# docs/runbooks/add-replica.md says more, also about nodes of Qdrant.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"
[ $# = 2 ] || usage
target=$1 name=$2
[[ $name =~ ^[a-z0-9_]+$ ]] || usage
need DATA PRIMARY_HOST PASSWORD_FILE
user=${REPLICATION_USER:-replicator}
account=${ACCOUNT:-postgres}
bin=${PG_BIN:+$PG_BIN/}
log=$DATA.log passfile=$DATA.pgpass

# PostgreSQL's server does not run as root, and its account cannot be everywhere where root is.
as_server() (
    if [ "$(id -u)" = 0 ]; then
        cd /
        exec setpriv --reuid="$account" --regid="$(id -g "$account")" --init-groups "$@"
    fi
    "$@"
)

# A value in a connection string.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\\\'}"
}

state() {
    sql "$target" -v name="$name" <<<"SELECT state FROM pg_stat_replication WHERE application_name = :'name'"
}

known postgres "$target"
step "read the password" "write one line into the file: \`openssl rand -hex 24 > FILE\`"
need_file PASSWORD_FILE
password=$(<"$PASSWORD_FILE")

step "look where the replica is to be" "name a folder below one that belongs to the account $account"
[ "${DATA#/}" != "$DATA" ] || stop "DATA has to be an absolute path, and is $DATA" 2
as_server test -w "$(dirname "$DATA")"

step "look at the primary" "see \`dbops doctor $target\`"
senders=2
if as_server test -e "$DATA/standby.signal"; then senders=0; fi
facts=$(sql "$target" -v senders="$senders" <<'SQL'
SELECT current_setting('server_version_num')::int / 10000,
    CASE WHEN pg_is_in_recovery() THEN 'it is a replica itself'
    WHEN current_setting('wal_level') = 'minimal' THEN 'wal_level is minimal: set it to replica and restart'
    WHEN current_setting('max_wal_senders')::int < (SELECT count(*) FROM pg_stat_replication) + :senders
    THEN 'max_wal_senders leaves no room for it: raise it and restart' END
SQL
)
major=${facts%%|*} wrong=${facts#*|}
[ -z "$wrong" ] || stop "$target cannot have another replica: $wrong"
found=$("${bin}pg_basebackup" --version)
[[ $found =~ \ $major\. ]] || stop "the programs are $found, and the primary is PostgreSQL $major: set PG_BIN" 2
if as_server test -e "$DATA/PG_VERSION"; then
    as_server test -e "$DATA/standby.signal" ||
        stop "$DATA holds a database that is no replica: nothing in it was touched. Choose another folder" 4
    slot=$(as_server sed -n "s/^primary_slot_name = '\(.*\)'/\1/p" "$DATA/postgresql.auto.conf" | tail -n 1)
    [ "$slot" = "$name" ] ||
        stop "$DATA holds the replica of the slot ${slot:-(none)}, and not $name: nothing in it was touched" 4
else
    step "create the role $user" "the user of $target has to be a superuser, or have CREATEROLE and REPLICATION"
    # Only a superuser sees whether it has a password.
    found=$(sql "$target" -v user="$user" <<'SQL'
SELECT has_table_privilege('pg_authid', 'SELECT') AS sees \gset
\if :sees
SELECT rolreplication AND rolcanlogin, rolpassword IS NULL FROM pg_authid WHERE rolname = :'user';
\else
SELECT rolreplication AND rolcanlogin, false FROM pg_roles WHERE rolname = :'user';
\endif
SQL
    )
    if [ -z "$found" ]; then
        sql "$target" -v user="$user" <<<'CREATE ROLE :"user" LOGIN REPLICATION'
        found='t|t'
    fi
    if [ "$found" = 't|t' ]; then
        set_password "$target" "$user" "$PASSWORD_FILE"
    elif [ "$found" != 't|f' ]; then
        stop "$user is there and may not replicate: \`ALTER ROLE ... LOGIN REPLICATION\`, or set REPLICATION_USER" 4
    fi

    step "write its password where the replica finds it" "$passfile has to be the server's account's"
    escaped=${password//\\/\\\\}
    (umask 077 && printf '*:*:*:%s:%s\n' "$user" "${escaped//:/\\:}" | as_server tee "$passfile" >/dev/null)

    step "create the slot $name" "a slot that is in use belongs to another replica: choose another name"
    sql "$target" -v name="$name" <<'SQL'
SELECT count(*) AS slots FROM pg_replication_slots WHERE slot_name = :'name' \gset
\if :slots
\else
SELECT pg_create_physical_replication_slot(:'name', true) \g /dev/null
\endif
SQL

    step "copy the primary" "the primary needs a line in pg_hba.conf, and a reload: host replication $user ADDRESS \
scram-sha-256. Where the password is wrong, rotate-credentials.sh gives $user another one. The slot keeps WAL on the \
primary until this has succeeded: run this again, or give up with \`dbops shell $target -- -c \"SELECT \
pg_drop_replication_slot('$name')\"\`"
    way="host=$(quoted "$PRIMARY_HOST") port=${PRIMARY_PORT:-5432} user=$(quoted "$user")"
    way="$way passfile=$(quoted "$passfile") application_name=$(quoted "$name") ${PRIMARY_OPTIONS:-}"
    as_server "${bin}pg_basebackup" --dbname="$way" --no-password --pgdata="$DATA" --slot="$name" \
        --wal-method=stream --checkpoint=fast --write-recovery-conf
    if [ -n "${PORT:-}" ]; then
        printf 'port = %s\n' "$PORT" | as_server tee -a "$DATA/postgresql.auto.conf" >/dev/null
    fi
fi

step "start the replica" "the server's log says why: $log, or where its configuration has it. Then run this again"
if ! as_server "${bin}pg_ctl" status --pgdata="$DATA" >/dev/null; then
    if [ -n "${START:-}" ]; then
        sh -c "$START"
    else
        as_server "${bin}pg_ctl" start --wait --silent --pgdata="$DATA" --log="$log"
    fi
fi

step "wait until it streams" "see \`dbops doctor $target\`"
deadline=$((SECONDS + ${WAIT:-60}))
until [ "$(state)" = streaming ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
        as_server tail -n 5 "$log" >&2 || true
        stop "the replica is not connected, or has not caught up; its log ends as above. Where WAL or the slot is \
gone, stop it, move $DATA away and run this again: it is copied anew. Where it is only slow, give it more time with \
WAIT"
    fi
    sleep 1
done

step "see how far it is behind" "do what the findings say, and run this again"
dbops health "$target" --check replication_lag --check replication_slots
printf '\n%s streams from %s.\n' "$name" "$target" >&2
