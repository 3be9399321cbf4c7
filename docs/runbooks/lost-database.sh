#!/usr/bin/env bash
# lost-database.sh [--restored] [--repair-qdrant] TARGET
#
# Brings back a database that is gone, or empty: from the newest backup that is whole, then to the newest revision, and
# compares what is made of it in Qdrant. A database that holds data is refused.
#
#   --restored       the database is back already: goes on behind the restore
#   --repair-qdrant  makes the points of Qdrant what the rows are: points of rows that came after the backup go

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"

target="" restored=no repair=no
while [ $# -gt 0 ]; do
    case $1 in
        --restored) restored=yes ;;
        --repair-qdrant) repair=yes ;;
        -*) usage ;;
        *)
            [ -z "$target" ] || usage
            target=$1
            ;;
    esac
    shift
done
[ -n "$target" ] || usage

# restore_newest: from the newest set that is whole.
restore_newest() {
    local ids id
    step "find the backups of $target" "correct what dbops names above, then run this again"
    ids=$(sets_with "$target")
    [ -n "$ids" ] || stop "there is no backup with $target in the repository that \`dbops config show\` names: look \
where there is another one, and name it (backup.repository)"
    for id in $ids; do
        step "restore $target from $id" "nothing is left of it; run this again"
        attempt dbops restore "$id" "$target" --create-roles
        case $code in
            0) return ;;
            1) ;;
            3) stop "$target is back, and some of its rows are not those that were backed up: they are named above. \
Where that will do: lost-database.sh --restored $target" 3 ;;
            4) stop "nothing was touched. If $target holds data it is not lost; to have a backup in its place all the \
same: dbops restore latest $target --swap. If this runbook brought it back: lost-database.sh --restored $target" 4 ;;
            *) stop "correct what dbops names above, then run this again" "$code" ;;
        esac
        # Verified, it is known to be damaged, and nothing takes it for the latest any more.
        attempt dbops backup verify "$id"
        if [ "$code" != 3 ]; then
            stop "$id is whole, or cannot be read: the restore failed for the reason above, and \`dbops doctor \
$target\` goes the way to the server step by step. Then run this again"
        fi
        printf '%s is damaged: going back to the one before\n' "$id" >&2
    done
    stop "no backup of $target is whole. What is left of them can be looked at: \`dbops backup show ID\`" 3
}

compare_qdrant() {
    step "compare Qdrant with the rows" "\
\`dbops doctor\` goes the way to Qdrant; then: lost-database.sh --restored $target"
    if [ "$repair" = yes ]; then
        dbops qdrant verify --repair
        return
    fi
    attempt dbops qdrant verify
    case $code in
        0) ;;
        2) printf 'no collection is made of a table: nothing to compare\n' >&2 ;;
        3) stop "$target is back. Points without a row are the last of rows that came after the backup: look at them \
if you can (dbops qdrant search COLLECTION --point ID), then: lost-database.sh --restored --repair-qdrant $target" 3 ;;
        *) stop "$step_remedy" "$code" ;;
    esac
}

known postgres "$target"
if [ "$restored" = no ]; then
    restore_newest
fi
step "migrate $target" "the database is back; correct what dbops names above, then: lost-database.sh --restored $target"
dbops migrate -t "$target"
dbops migrate check -t "$target"
searches=$(target_names qdrant)
if [ -n "$searches" ]; then
    compare_qdrant
fi
step "see whether all is well" "the database is back; do what stands below each finding"
dbops health "$target"
printf '%s is back\n' "$target"
