# Runs "$@" for who holds the other end of standard input: its first line is the password, its end the end of all.
# Killed, `docker exec` leaves the program that it started in the container running.
exec 3<&0 </dev/null
IFS= read -r password <&3
if [ -n "$password" ]; then
    PGPASSWORD=$password
    export PGPASSWORD
fi
password=
"$@" 3<&- &
program=$!
{ cat <&3 >/dev/null; kill "$program"; } 2>/dev/null &
wait "$program"
status=$?
kill $! 2>/dev/null
exit "$status"
