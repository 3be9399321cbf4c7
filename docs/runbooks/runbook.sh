# shellcheck shell=bash
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

# attempt COMMAND...: runs it and goes on; its exit code is in `code`.
attempt() {
    code=0
    "$@" || code=$?
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

# psql hashes a password itself and sends the hash alone, so that it is in no argument, no statement and no log. Without a
# terminal, which setsid takes away, psql reads it from standard input.
#
# set_password TARGET ROLE FILE
set_password() {
    local password said
    password=$(<"$3")
    said=$(printf '%s\n%s\n' "$password" "$password" |
        setsid -w dbops shell "$1" -- -Xq -c "\\password \"${2//\"/\"\"}\"" 2>&1) || {
        printf '%s\n' "$said" >&2
        return 1
    }
}

# sql TARGET [OPTION...] <STATEMENTS: psql on the target; the rows as plain lines, and nothing after an error.
sql() {
    local target=$1
    shift
    dbops shell "$target" -- -XAtq -v ON_ERROR_STOP=1 "$@"
}

# In a subshell only the code is passed on: the shell that it belongs to tells it.
failed() {
    local code=$1
    if [ "$BASH_SUBSHELL" = 0 ]; then
        printf '\nstopped at: %s (exit code %s)\nwhat to do: %s\n' "$step_now" "$code" "$step_remedy" >&2
    fi
    exit "$code"
}
trap 'failed $?' ERR

case ${1:-} in -h | --help) usage 0 ;; esac

if ! command -v dbops >/dev/null; then
    printf 'error: there is no dbops in the PATH\n' >&2
    exit 2
fi
