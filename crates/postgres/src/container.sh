# Runs "$@" for who holds the other end of standard input: its first line is the password, its end the end of all.
# Where $1 is not 0 there is more in between: a list, which an empty line ends, and an archive of $1 bytes.
# Killed, `docker exec` leaves the program that it started in the container running.
#
# PostgreSQL is the container's first process, which inherits what this shell leaves behind, and takes a child that a
# signal ended for one of its own that crashed: it then ends every session. So each process is waited for here, and what
# waits for the end is this shell's own `read`.
bytes=$1
shift
exec 3<&0 </dev/null
IFS= read -r password <&3
if [ -n "$password" ]; then
    PGPASSWORD=$password
    export PGPASSWORD
fi
password=
if [ "$bytes" -gt 0 ]; then
    # Files without names: nobody else finds them, and they are gone with the last process that has them open, in
    # whichever way that ends.
    umask 077
    name=$(mktemp) || exit 1
    exec 4>"$name" 5<"$name"
    rm "$name"
    name=$(mktemp) || exit 1
    exec 6>"$name" 7<"$name"
    rm "$name"
    while IFS= read -r line && [ -n "$line" ]; do printf '%s\n' "$line"; done <&3 >&4
    # It may read further than that, of which there is nothing.
    head -c "$bytes" <&3 >&6
    exec 4>&- 6>&-
    [ "$(wc -c </proc/self/fd/7)" -eq "$bytes" ] || exit 1
fi
"$@" 3<&- &
program=$!
{ while IFS= read -r _; do :; done <&3; kill "$program"; } 2>/dev/null &
watcher=$!
wait "$program"
status=$?
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
