#!/usr/bin/env bash
# restore-drill.sh [--within SECONDS] [--beside [TARGET...]]
#
# Restores the newest backup, compares every row and a sample of points with what was backed up, says how long that took
# and how old the data would be, and leaves nothing behind.
#
#   --within SECONDS  finds fault with a restore that takes longer
#   --beside          restores the databases (all, or these) on their own servers, as TARGET_drill, and drops them;
#                     without it they are restored into a server that is started for it, and collections under other
#                     names

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
    dbops backup show "$1" | sed -n 's/^created \([^ ]* [^ ]*\) on .*/\1/p'
}

# The database that the drill is about to make, or has made.
drill_target="" drill_database=""
clear_away() {
    if [ -n "$drill_database" ]; then
        sql "$drill_target" -v name="$drill_database" <<<'DROP DATABASE IF EXISTS :"name"'
        drill_database=""
    fi
}
trap clear_away EXIT

# drill TARGET: restores its newest backup beside it.
drill() {
    local target=$1 id made start=$SECONDS
    step "find the newest backup of $target" "see what is named above, then run this again"
    id=$(sets_with "$target" | sed -n 1p)
    [ -n "$id" ] || stop "there is no backup that holds $target: make one with nightly-backup.sh"
    step "see whether ${target}_drill is free" "\`dbops doctor $target\` goes the way to the server, step by step"
    if [ -n "$(sql "$target" -v name="${target}_drill" <<<"SELECT 1 FROM pg_database WHERE datname = :'name'")" ]; then
        stop "${target}_drill is there already. If a drill that was killed has left it, drop it, and run this again: \
dbops shell $target -- -c 'DROP DATABASE \"${target}_drill\"'" 4
    fi
    step "read $id" "$damaged"
    dbops backup verify "$id"
    step "restore $target from $id, as ${target}_drill" "the backup is whole and did not come back as it was (with \
exit code 3 its rows differ): see what is named above, and try an older one: dbops restore ID $target --into NAME"
    drill_target=$target drill_database=${target}_drill
    dbops restore "$id" "$target" --into "$drill_database"
    step "drop ${target}_drill" "drop it by hand: dbops shell $target -- -c 'DROP DATABASE \"${target}_drill\"'"
    clear_away
    made=$(made_at "$id")
    printf '%s: recovered in %s s, with the data of %s\n' "$target" "$((SECONDS - start))" "$made"
}

if [ "$beside" = yes ]; then
    if [ ${#targets[@]} = 0 ]; then
        step "read the configuration" "correct what dbops names above, then run this again"
        names=$(target_names postgres)
        mapfile -t targets <<<"$names"
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
