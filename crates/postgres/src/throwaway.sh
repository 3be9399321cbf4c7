# Arguments: folder of the programs, folder of the cluster, TCP port (0: none), settings as name=value...
bin=$1 folder=$2 port=$3
shift 3
# PIPE: whoever would read "ready" may be gone.
trap '' HUP INT TERM PIPE
cd "$folder" || exit 1

auth="--auth=trust"
if [ "$port" != 0 ]; then
    auth="--auth-local=trust --auth-host=scram-sha-256 --pwfile=$folder/password"
fi
# shellcheck disable=SC2086 # the options are separate words; the folder's name is plain
if "$bin/initdb" --pgdata data --username postgres $auth --encoding UTF8 --locale C.UTF-8 --no-sync \
    --no-instructions --wal-segsize 1 >log 2>&1; then
    {
        echo "unix_socket_directories = '$folder'"
        if [ "$port" != 0 ]; then
            echo "listen_addresses = '127.0.0.1'"
            echo "port = $port"
        else
            echo "listen_addresses = ''"
        fi
        echo "fsync = off"
        echo "full_page_writes = off"
        echo "synchronous_commit = off"
        # The log of what is thrown away is never read: it is not to fill the disk.
        echo "max_wal_size = '64MB'"
        echo "max_connections = 100"
        echo "shared_buffers = '64MB'"
        for setting in "$@"; do
            echo "${setting%%=*} = '${setting#*=}'"
        done
    } >>data/postgresql.conf
    if "$bin/pg_ctl" start --wait --silent --pgdata data --log log >/dev/null 2>&1; then
        echo ready
    else
        echo failed
    fi
else
    echo failed
fi
exec >/dev/null
cat >/dev/null
"$bin/pg_ctl" stop --wait --silent --mode immediate --pgdata data >/dev/null 2>&1
cd /
rm -rf "$folder"
