#!/usr/bin/env bash
# disk-full.sh [--prune] [--temporary] [--drop-slot TARGET SLOT]
#
# Says what takes the disks of the databases and of the backups, frees what it is told to, and looks again. Without an
# option nothing is removed.
#
#   --prune                  removes backups that backup.retention does not keep, and what killed backups have left
#   --temporary              removes what killed runs of dbops have left in the folder for temporary files
#   --drop-slot TARGET SLOT  drops a replication slot that nobody reads from, which lets its WAL go; the standby or the
#                            subscription that it belonged to has to be made anew
#
# FULL_AT is how many percent of the disk of the backups may be used; without it 95.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"

prune=no temporary=no slot_target="" slot=""
while [ $# -gt 0 ]; do
    case $1 in
        --prune) prune=yes ;;
        --temporary) temporary=yes ;;
        --drop-slot)
            [ $# -ge 3 ] || usage
            slot_target=$2 slot=$3
            shift 2
            ;;
        *) usage ;;
    esac
    shift
done

# What keeps a disk of PostgreSQL full, the largest first.
report_database() {
    sql "$1" <<'END'
SELECT format('  database %s: %s', datname, pg_size_pretty(pg_database_size(oid)))
    FROM pg_database WHERE has_database_privilege(oid, 'CONNECT') ORDER BY pg_database_size(oid) DESC LIMIT 5;
SELECT format('  table %s: %s', oid::regclass, pg_size_pretty(pg_total_relation_size(oid)))
    FROM pg_class WHERE relkind IN ('r', 'm') ORDER BY pg_total_relation_size(oid) DESC LIMIT 5;
SELECT format('  WAL: %s in %s files', pg_size_pretty(sum(size)), count(*)) FROM pg_ls_waldir();
SELECT format('  temporary files: %s in %s files', pg_size_pretty(coalesce(sum(size), 0)), count(*))
    FROM pg_ls_tmpdir();
SELECT format('  slot %s: %s, keeps %s of WAL', slot_name,
        CASE WHEN active THEN 'in use' ELSE 'nobody reads from it' END,
        pg_size_pretty(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
            ELSE pg_current_wal_lsn() END, restart_lsn)))
    FROM pg_replication_slots WHERE restart_lsn IS NOT NULL ORDER BY restart_lsn;
SELECT format('  archiving fails, which keeps all WAL since %s', last_failed_wal)
    FROM pg_stat_archiver WHERE last_failed_time > coalesce(last_archived_time, '-infinity');
END
}

# The folders of temporary files that nobody has locked: whoever made them was killed.
left_over() {
    local folder
    for folder in "${TMPDIR:-/tmp}"/dbops-tmp-*; do
        if [ -O "$folder" ] && [ -f "$folder/.lock" ] && flock -n "$folder/.lock" true; then
            printf '%s\n' "$folder"
        fi
    done
}

report() {
    local name
    for name in $databases; do
        step "see what takes the disk of $name" "let the user look: GRANT pg_monitor TO ..."
        if dbops health "$name" --check reachable --check authentication; then
            report_database "$name"
        else
            printf '%s does not answer. A server whose disk is full stops, and starts again once there is room: free \
what is named below, or enlarge the disk\n' "$name" >&2
        fi
    done
    step "see what takes the disk of the backups" "see what is named above"
    if [ -d "$repository" ]; then
        df -hP "$repository"
        du -sh "$repository"
    fi
    # With no rules for what to keep it refuses, and says so.
    attempt dbops backup prune --dry-run
    step "see what killed runs have left" "see what is named above"
    df -hP "${TMPDIR:-/tmp}"
    left_over | while IFS= read -r folder; do
        du -sh "$folder"
    done
}

drop_slot() {
    local state
    step "drop the slot $slot of $slot_target" "see what is named above; nothing was dropped"
    state=$(sql "$slot_target" -v slot="$slot" <<<"SELECT active FROM pg_replication_slots WHERE slot_name = :'slot'")
    case $state in
        f) ;;
        t) stop "somebody reads from $slot: nothing was dropped. When it falls behind, look at the standby" 4 ;;
        *) stop "$slot_target has no slot $slot: it may be gone already. Above are those that there are" 2 ;;
    esac
    sql "$slot_target" -v slot="$slot" <<'END'
SELECT format('dropped %s', :'slot') FROM pg_drop_replication_slot(:'slot');
CHECKPOINT;
END
}

step "read the configuration" "correct what dbops names above, then run this again"
databases=$(target_names postgres)
# A bucket is no folder, and has no disk that can be looked at.
repository=$(dbops config show | sed -n 's/^backups: //p')
if ! command -v flock >/dev/null; then
    stop "install flock (util-linux): it tells which temporary folders nobody uses" 2
fi
report

if [ -n "$slot" ]; then
    drop_slot
fi
if [ "$prune" = yes ]; then
    step "prune the backups" "see what is named above; with exit code 4 set backup.retention"
    dbops backup prune --yes
fi
if [ "$temporary" = yes ]; then
    step "remove what killed runs have left" "see what is named above"
    left_over | while IFS= read -r folder; do
        rm -rf -- "$folder"
        printf 'removed %s\n' "$folder"
    done
fi

advice="run this again with --prune, --temporary, or --drop-slot TARGET SLOT; drop or move what nobody needs; or \
enlarge the disk"
step "look again" "free what is named above: $advice"
# shellcheck disable=SC2086 # one word for each name
dbops health $databases --check reachable --check disk_space --check replication_slots --check temporary_files
if [ -d "$repository" ]; then
    used=$(df -P "$repository" | awk 'NR == 2 { print $5 + 0 }')
    if [ "$used" -ge "${FULL_AT:-95}" ]; then
        stop "$used % of the disk of the backups are used: $advice" 3
    fi
fi
