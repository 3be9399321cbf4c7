# The first process of the namespaces: starts a Docker engine, builds the images, and
# becomes what runs the tests' program. With its end everything in here ends.
#
# $1: the cache folder, $2: Debian's root file system; the rest is the tests' program.
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
cache=$1 debian=$2
shift 2
name=dbops-docker-test
log=$cache/dockerd.log

# Sockets and process numbers of other engines are out of sight.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock
ip link set lo up
if ! grep -q '^[^ ]* /sys/fs/cgroup' /proc/mounts; then
    mount -t tmpfs tmpfs /sys/fs/cgroup
    for controller in $(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups); do
        mkdir "/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
    done
fi

clean_up() {
    trap - EXIT
    if [ -S /run/docker.sock ]; then
        docker ps --all --quiet | xargs -r docker rm --force --volumes >/dev/null 2>&1 || true
    fi
    [ -z "${engine:-}" ] || { kill "$engine" 2>/dev/null && wait "$engine" || true; }
    find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} + 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

dockerd --data-root "$cache/engine" --pidfile /run/docker.pid --cgroup-parent "/$name" \
    --exec-opt native.cgroupdriver=cgroupfs --log-level warn >"$log" 2>&1 &
engine=$!
until docker version >/dev/null 2>&1; do
    if ! kill -0 "$engine" 2>/dev/null; then
        echo 'error: the Docker engine does not start; it says:' >&2
        tail -n 8 "$log" >&2
        exit 1
    fi
    sleep 0.1
done
# What a kill left.
docker ps --all --quiet | xargs -r docker rm --force --volumes >/dev/null
docker volume ls --quiet | xargs -r docker volume rm --force >/dev/null

said=/run/build.log
build() {
    docker build --quiet "$@" >"$said" 2>&1 || { cat "$said" >&2; exit 1; }
}
# Newer command lines build with a program that this one may not have.
export DOCKER_BUILDKIT=0
mark=$(stat -c '%s-%Y' "$debian")
if [ "$(docker images --quiet "dbops-stand-in/debian:$mark")" = '' ]; then
    docker import "$debian" "dbops-stand-in/debian:$mark" >/dev/null
fi
docker tag "dbops-stand-in/debian:$mark" dbops-stand-in/debian
build --tag postgres:18-alpine --tag pgvector/pgvector:pg18 "$cache/contexts/postgres"
old=/var/lib/postgresql/data
build --tag ankane/pgvector --build-arg "DATA=$old" --build-arg "MOUNT=$old" "$cache/contexts/postgres"
build --tag qdrant/qdrant "$cache/contexts/qdrant"
build --tag dbops-stand-in/rust "$cache/contexts/rust"
build --tag support-bot-dbops --file docker/Dockerfile \
    --build-arg RUST_IMAGE=dbops-stand-in/rust --build-arg POSTGRES_IMAGE=pgvector/pgvector:pg18 \
    --build-arg BASE_IMAGE=dbops-stand-in/debian .
docker image prune --force >/dev/null

# Waited for, so that a signal is heard meanwhile.
"$@" &
wait $!
