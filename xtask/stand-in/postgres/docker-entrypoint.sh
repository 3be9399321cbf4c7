#!/bin/sh
# What docker-library/postgres' script of this name does with the variables that
# compose files set.
set -eu
if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -g postgres -m 0700 "$PGDATA"
    chown postgres:postgres "$(dirname "$PGDATA")" /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    fi
    : "${POSTGRES_PASSWORD:?is not set, and the superuser needs a password}"
    user=${POSTGRES_USER:-postgres}
    printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
    initdb --username="$user" --pwfile=/tmp/password
    rm /tmp/password
    {
        echo 'host all all all scram-sha-256'
    } >> "$PGDATA/pg_hba.conf"
    # For as long as this server runs, nobody gets in by TCP.
    pg_ctl -w -o "-c listen_addresses='' -c unix_socket_directories=/var/run/postgresql" start
    [ "${POSTGRES_DB:-$user}" = postgres ] || createdb --username="$user" "${POSTGRES_DB:-$user}"
    pg_ctl -w -m fast stop
fi
[ "$1" != postgres ] || set -- "$@" -c 'listen_addresses=*' -c unix_socket_directories=/var/run/postgresql
unset POSTGRES_PASSWORD PGHOST
exec "$@"
