#!/usr/bin/env bash
# restore-drill.sh [--within SECONDS] [--beside [TARGET...]]
#
# Restores the newest backup, compares every row and a sample of points with what was backed up, says how long that took
# and how old the data would be, and leaves nothing behind.
#
#   --within SECONDS  finds fault with a restore that takes longer
#   --beside          restores the databases (all, or these) on their own servers, as TARGET_drill_NUMBER, and drops
#                     them; without it they are restored into a server that is started for it, and collections under
#                     other names

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"

limit=""
beside=no
targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --within)
            case ${2:-} in '' | *[!0-9]*) usage ;; esac
            limit=$2
            shift
            ;;
        --beside) beside=yes ;;
        -*) usage ;;
        *)
            [ "$beside" = yes ] || usage
            targets+=("$1")
            ;;
    esac
    shift
done

damaged="with exit code 3 this is no backup: see with \`dbops backup verify --all\` which ones are whole, make a new \
one with nightly-backup.sh, and look at the disk or the bucket of the repository. Otherwise correct what dbops names \
above, and run this again"

made_at() {
    dbops backup show "$1" | sed -n 's/^created \(.*\) on .* by dbops .*/\1/p'
}

# The database that the drill is about to make, or has made.
drill_target="" drill_database=""
clear_away() {
    if [ -n "$drill_database" ]; then
        sql "$drill_target" -v name="$drill_database" <<<'DROP DATABASE IF EXISTS :"name"'
        drill_database=""
    fi
}
trap 'trap "" INT TERM; clear_away' EXIT

# see_free TARGET DATABASE
see_free() {
    step "see whether $2 is free" "\`dbops doctor $1\` goes the way to the server, step by step"
    if [ -n "$(sql "$1" -v name="$2" <<<"SELECT 1 FROM pg_database WHERE datname = :'name'")" ]; then
        stop "$2 is there already, and was not touched. Run this again, which takes another number. If a drill \
that was killed has left it, drop it: dbops shell $1 -- -c 'DROP DATABASE \"$2\"'" 4
    fi
}

# restore_beside ID TARGET DATABASE: only what came of it is dropped in the end, and nothing that was there before.
restore_beside() {
    step "restore $2 from $1, as $3" "nothing is left of it; run this again"
    drill_target=$2 drill_database=$3
    attempt dbops restore "$1" "$2" --into "$3"
    case $code in
        0) return ;;
        3) stop "the backup is whole, and its rows did not come back as they were: they are named above. Keep it, and \
try an older one: dbops restore ID $2 --into NAME" 3 ;;
    esac
    drill_database=""
    case $code in
        4) stop "nothing was touched: see what is named above. A database $3 that somebody else has made meanwhile is \
still there. Then run this again" 4 ;;
        130 | 143) failed "$code" ;;
        *) stop "the backup is whole, and the restore failed for the reason above, such as no room, or a role or an \
extension that the server lacks: correct it, then run this again" "$code" ;;
    esac
}

# drill TARGET: restores its newest backup beside it.
drill() {
    local target=$1 database=${1}_drill_$$ id made start=$SECONDS
    step "find the newest backup of $target" "see what is named above, then run this again"
    id=$(sets_with "$target" | sed -n 1p)
    [ -n "$id" ] || stop "there is no backup that holds $target: make one with nightly-backup.sh"
    see_free "$target" "$database"
    step "read $id" "$damaged"
    dbops backup verify "$id"
    # Reading it may have taken hours.
    see_free "$target" "$database"
    restore_beside "$id" "$target" "$database"
    step "drop $database" "drop it by hand: dbops shell $target -- -c 'DROP DATABASE \"$database\"'"
    clear_away
    made=$(made_at "$id")
    printf '%s: recovered in %s s, with the data of %s\n' "$target" "$((SECONDS - start))" "$made"
}

if [ "$beside" = yes ]; then
    if [ ${#targets[@]} = 0 ]; then
        step "read the configuration" "correct what dbops names above, then run this again"
        names=$(target_names postgres)
        mapfile -t targets <<<"$names"
    else
        known postgres "${targets[@]}"
    fi
    SECONDS=0
    for target in "${targets[@]}"; do
        drill "$target"
    done
else
    SECONDS=0
    step "restore the newest backup where nobody is" "$damaged"
    dbops backup verify latest --restore
    made=$(made_at latest)
    printf 'recovered with the data of %s\n' "$made"
fi
took=$SECONDS
printf 'recovery time: %s s\n' "$took"

if [ -n "$limit" ] && [ "$took" -gt "$limit" ]; then
    step "compare with the limit" ""
    stop "recovery took $took s and may take $limit s: see where the time goes (the size, the network, the number of \
cores), or agree on another limit" 3
fi
