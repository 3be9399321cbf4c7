#!/usr/bin/env bash
# production-migration.sh [--yes]
#
# Brings production to the newest revision, past one point of no return. Before it nothing is changed: health, drift,
# lint, and a rehearsal on the newest backup. With --yes it goes on: a backup that is read again, the migration, and the
# same checks once more. When something fails behind that point it says how to go back.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"

yes=no
[ $# -le 1 ] || usage
case ${1:-} in
    '') ;;
    --yes) yes=yes ;;
    *) usage ;;
esac

untouched="Nothing was changed. "

# Without what a migration does not stumble over, and what `undrifted` looks at more closely.
healthy() {
    local others=(migrations backup_age backup_verified backup_growth unused_indexes duplicate_indexes
        foreign_key_indexes table_bloat index_bloat vector_indexes cache_hit checkpoints deadlocks temporary_files
        langgraph_orphans langgraph_size langgraph_growth password unindexed_fields snapshots optimizer drift)
    dbops health "${others[@]/#/--skip=}"
}

# What differs by more than pending revisions is shown, and stops the runbook.
undrifted() {
    local found
    code=0
    found=$(dbops schema drift --json) || code=$?
    if [ "$code" = 3 ] && ! awk '/"verdict":/ && !/"equal"/ { differs = 1 } END { exit !differs }' <<<"$found"; then
        return
    fi
    if [ "$code" != 0 ]; then
        dbops schema drift
    fi
}

# Where the databases are: name, rows of the version table, heads, state, with tabs between.
positions() {
    dbops migrate current | awk -F '[ ][ ]+' -v OFS='\t' 'NR > 1 { print $1, $2, $3, $4 }'
}

# How to go back to where the databases were before, for each that is elsewhere now, with the backup `id`.
way_back() {
    local now name revision rest
    now=$(positions) || now=""
    while IFS=$'\t' read -r name revision rest; do
        if grep -qxF "$name"$'\t'"$revision"$'\t'"$rest" <<<"$now"; then
            printf '%s is where it was, at %s.\n' "$name" "$revision"
            continue
        fi
        printf '%s was at %s. To undo the revisions, and keep what was written since:\n' "$name" "$revision"
        if [[ $revision == *,* ]]; then
            printf '  (of several branches, which dbops migrate downgrade goes back one by one)\n'
        else
            printf '    dbops migrate downgrade %s -t %s --yes\n' "${revision/(base)/base}" "$name"
        fi
        printf '  or to have it as it was before the migration, without what was written since:\n'
        printf '    dbops restore %s %s --swap --disconnect\n' "$id" "$name"
    done <<<"$before"
    printf 'Or correct the revision (or the rows, and then nightly-backup.sh), and run this again. '
    printf 'One that is not completed goes on with: dbops migrate resume -t TARGET\n'
}

# turn_back CODE: ends behind the point of no return.
turn_back() {
    stop "see what is named above.
$(way_back)" "$1"
}

# past WHAT COMMAND...: a step behind the point of no return.
past() {
    trap 'turn_back 130' INT
    trap 'turn_back 143' TERM
    step "$1" ""
    shift
    attempt "$@"
    if [ "$code" != 0 ]; then
        turn_back "$code"
    fi
}

step "see whether there is anything to do" "${untouched}Correct what dbops names above, then run this again"
attempt dbops migrate check
pending=$code
case $pending in 0 | 3) ;; *) stop "$step_remedy" "$pending" ;; esac
searches=$(target_names qdrant)
differs=0
if [ -n "$searches" ]; then
    attempt dbops qdrant plan --check
    differs=$code
    case $differs in 0 | 3) ;; *) stop "$step_remedy" "$differs" ;; esac
fi
if [ "$pending" = 0 ] && [ "$differs" = 0 ]; then
    printf 'nothing to do: every revision is applied\n'
    exit 0
fi

step "see whether all is well" "${untouched}Do what stands below each finding, then run this again"
healthy
step "see whether somebody changed a schema by hand" "${untouched}Take one of the ways that are named above, then run \
this again"
undrifted
step "look at the revision files" "${untouched}Correct the files, or silence what is meant so with a comment: -- \
dbops:ignore RULE reason"
dbops migrate lint
step "rehearse on the newest backup" "${untouched}Correct the revisions; or the rows, and then nightly-backup.sh, for \
the newest backup is what is rehearsed on. Then run this again"
dbops migrate rehearse

step "the point of no return" ""
if [ "$yes" = no ]; then
    stop "${untouched}All is ready. Tell people, stop what writes where the rehearsal showed long locks, then: \
production-migration.sh --yes" 4
fi
step "back up" "${untouched}Correct what dbops names above, then run this again"
before=$(positions)
made=$(dbops backup)
printf '%s\n' "$made"
id=$(grep -Eo '^[0-9]{8}T[0-9]{6}Z-[0-9a-f]+' <<<"$made" | tail -n 1)
step "read $id again" "${untouched}The backup is damaged: look at the disk or the bucket of the repository, then run \
this again"
dbops backup verify "$id"

past "migrate" dbops migrate
past "see whether every revision is applied" dbops migrate check
past "see whether the schemas are as declared" dbops schema drift
past "see whether all is still well" healthy
printf 'migrated; the backup from before is %s\n' "$id"
