#!/usr/bin/env bash
# nightly-backup.sh [--restore | --restore-on DAY] [TARGET...]
#
# Backs up all targets that answer, or those that are named, into one set; reads every byte of it again; removes the
# sets that backup.retention does not keep; and looks whether the backups are in order.
#
#   --restore         restores the set too, where nobody is, and compares its rows and points; reads older sets again
#   --restore-on DAY  does that on this day of the week: Mon, Tue, Wed, Thu, Fri, Sat, Sun

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"

trial=no
targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --restore) trial=yes ;;
        --restore-on)
            case ${2:-} in Mon | Tue | Wed | Thu | Fri | Sat | Sun) ;; *) usage ;; esac
            if [ "$(LC_ALL=C date +%a)" = "$2" ]; then trial=yes; fi
            shift
            ;;
        -*) usage ;;
        *) targets+=("$1") ;;
    esac
    shift
done

step "read the configuration" "correct what dbops names above, then run this again"
dbops config check
if [ ${#targets[@]} = 0 ]; then
    names=$(target_names "")
    mapfile -t targets <<<"$names"
fi

step "see which targets answer" "correct what dbops names above, then run this again"
up=() down=()
for target in "${targets[@]}"; do
    code=0
    found=$(dbops health "$target" --check reachable --check authentication) || code=$?
    case $code in
        0) up+=("$target") ;;
        3) down+=("$target") && printf '%s\n' "$found" >&2 ;;
        *) stop "$step_remedy" "$code" ;;
    esac
done
if [ ${#up[@]} = 0 ]; then
    stop "nothing was backed up: no target answers. \`dbops doctor\` goes the way to each, step by step" 3
fi

step "back up ${up[*]}" "nothing is left of this backup; correct what dbops names above (with exit code 5 another \
backup is at work: wait for it), then run this again"
made=$(dbops backup "${up[@]}")
printf '%s\n' "$made"
id=$(grep -Eo '^[0-9]{8}T[0-9]{6}Z-[0-9a-f]+' <<<"$made" | tail -n 1)

step "read $id again" "this backup is damaged, and nothing was pruned: look at the disk or the bucket of the \
repository, and run this again"
dbops backup verify "$id"

if [ "$trial" = yes ]; then
    step "restore $id where nobody is" "this backup is whole and does not restore as it was, and nothing was pruned: \
see what is named above, and run this again"
    dbops backup verify --restore "$id"
    step "read the older backups again" "$id is whole. Look at the disk or the bucket of the repository, and when \
nobody needs a damaged set any more: dbops backup delete ID"
    dbops backup verify --all
fi

step "prune" "$id is whole; set backup.retention, or see what is named above"
dbops backup prune --yes

step "see whether the backups are in order" "$id is whole; do what stands below each finding"
dbops health "${up[@]}" --check backup_age --check backup_verified --check backup_growth

if [ ${#down[@]} -gt 0 ]; then
    step "see what was left out" ""
    stop "$id lacks ${down[*]}, which did not answer: \`dbops doctor ${down[0]}\` goes the way there step by step; \
then run this again for it: nightly-backup.sh ${down[*]}" 3
fi
printf 'backed up, verified and pruned: %s\n' "$id"
