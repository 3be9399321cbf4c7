#!/usr/bin/env bash
# lost-machine.sh [--restored] [ID]
#
# Brings everything back from the repository of backups alone, on new and empty servers: all databases with their roles,
# the collections of Qdrant, and where the points no longer are what the rows are, those too. It takes the newest backup
# that holds every target and is whole, or the one that is named. What holds data already is left as it is; where
# everything does, nothing is lost, and it stops.
#
#   --restored  everything was brought back by an earlier run: goes on behind the restores

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"

wanted="" restored=no
while [ $# -gt 0 ]; do
    case $1 in
        --restored) restored=yes ;;
        -*) usage ;;
        *)
            [ -z "$wanted" ] || usage
            wanted=$1
            ;;
    esac
    shift
done

step "read the configuration" "bring back dbops.yaml, the revisions and declarations that it names, its variables, and \
the key of the backups; then run this again"
dbops config check
databases=$(target_names postgres)
searches=$(target_names qdrant)

step "find the backups" "see what is named above: the repository, the credentials, the key (\`dbops config show\`)"
# shellcheck disable=SC2086 # one word for each name
ids=${wanted:-$(sets_with $databases $searches)}
[ -n "$ids" ] || stop "no backup holds every target. \`dbops backup list\` shows what there is; restore the databases \
one by one with lost-database.sh TARGET, or name a backup: lost-machine.sh ID"
whole=""
for id in $ids; do
    step "read $id" "see what is named above: the repository, the credentials, the key (\`dbops config show\`)"
    attempt dbops backup verify "$id"
    case $code in
        0) whole=$id && break ;;
        3) printf '%s is damaged: going back to the one before\n' "$id" >&2 ;;
        *) stop "$step_remedy" "$code" ;;
    esac
done
[ -n "$whole" ] || stop "none of these backups is whole: restore the databases one by one with lost-database.sh \
TARGET, which takes older ones for each" 3

# holds_data TARGET KIND: whether a refusal was for what is there already.
holds_data() {
    local found
    case $2 in
        postgres) found=$(dbops migrate current -t "$1" | awk -F '[ ][ ]+' 'NR > 1 && $2 != "(base)"') ;;
        qdrant)
            found=$(dbops qdrant status -t "$1" | awk -F '[ ][ ]+' '
                is_table && $3 != "0" { print }
                $1 == "COLLECTION" { is_table = 1 }')
            ;;
    esac
    [ -n "$found" ]
}

kept=()
# bring_back KIND TARGET [OPTION]: what holds data is not touched.
bring_back() {
    local kind=$1
    shift
    step "restore $1 from $whole" "run this again: what is back stays"
    attempt dbops restore "$whole" "$@"
    if [ "$code" = 4 ] && holds_data "$1" "$kind"; then
        kept+=("$1")
        return
    fi
    if [ "$code" != 0 ]; then
        stop "correct what dbops names above (\`dbops doctor $1\` goes the way to the server, step by step; with exit \
code 3 the rows that differ are named), then run this again: what is back stays" "$code"
    fi
    restored=yes
}
for name in $databases; do
    bring_back postgres "$name" --create-roles
done
for name in $searches; do
    bring_back qdrant "$name"
done

if [ "$restored" = no ]; then
    step "see what is lost" ""
    stop "nothing is lost: ${kept[*]} hold data, and were not touched. For one database that is lost: lost-database.sh \
TARGET. If this runbook brought them back: lost-machine.sh --restored" 4
fi

step "migrate" "everything is back; correct what dbops names above, then: lost-machine.sh --restored"
dbops migrate
dbops migrate check
if [ -n "$searches" ]; then
    step "make the points what the rows are" "everything is back but for points that differ; see what is named above, \
then: lost-machine.sh --restored"
    attempt dbops qdrant verify --repair
    case $code in
        0) ;;
        2) printf 'no collection is made of a table: nothing to compare\n' >&2 ;;
        *) stop "$step_remedy" "$code" ;;
    esac
fi
step "see whether all is well" "everything is back; do what stands below each finding"
dbops health

if [ ${#kept[@]} -gt 0 ]; then
    printf 'left as they were, for the reason above: %s\n' "${kept[*]}"
fi
printf 'everything is there, from %s; make the first backup of the new machine: nightly-backup.sh\n' "$whole"
