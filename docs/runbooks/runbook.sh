# Sourced by the runbooks beside it: steps that are told, and a stop at the first failure that says what to do.
#
#   step "back up bot_db" "look at \`dbops doctor bot_db\`, then run this again"
#   dbops backup bot_db
#
# The exit code of a runbook is that of the command that failed, or 2 for wrong usage.

set -Eeuo pipefail

step_now=""
step_remedy=""

# step WHAT REMEDY: what is done next, and what to do when it fails.
step() {
    step_now=$1
    step_remedy=$2
    printf '== %s\n' "$1" >&2
}

# stop REMEDY [CODE]: ends the runbook where its own checks find something.
stop() {
    printf '\nstopped at: %s\nwhat to do: %s\n' "$step_now" "$1" >&2
    exit "${2:-1}"
}

# The text between the first line and the first empty one is the usage.
usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
    exit "${1:-2}"
}

# need VARIABLE...: environment variables that this runbook cannot do without.
need() {
    local name
    for name in "$@"; do
        if [ -z "${!name:-}" ]; then
            printf 'error: %s is not set\n\n' "$name" >&2
            usage
        fi
    done
}

trap 'code=$?; printf "\nstopped at: %s (exit code %s)\nwhat to do: %s\n" "$step_now" "$code" "$step_remedy" >&2; exit "$code"' ERR

case ${1:-} in -h | --help) usage 0 ;; esac
