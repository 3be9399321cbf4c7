# Runs "$@" for who holds the other end of standard input: its first line is the password, its end the end of all.
# Killed, `docker exec` leaves the program that it started in the container running.
#
# PostgreSQL is the container's first process, which inherits what this shell leaves behind, and takes a child that a
# signal ended for one of its own that crashed: it then ends every session. So each process is waited for here, and what
# waits for the end is this shell's own `read`.
exec 3<&0 </dev/null
IFS= read -r password <&3
if [ -n "$password" ]; then
    PGPASSWORD=$password
    export PGPASSWORD
fi
password=
"$@" 3<&- &
program=$!
{ while IFS= read -r _; do :; done <&3; kill "$program"; } 2>/dev/null &
watcher=$!
wait "$program"
status=$?
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
