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
    # shellcheck disable=SC2034 # the runbooks look at it
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

# need_file VARIABLE...: files that these variables name. The remedy of the step says what belongs into them.
need_file() {
    local name
    for name in "$@"; do
        if ! [ -f "${!name}" ] || ! [ -r "${!name}" ] || ! [ -s "${!name}" ]; then
            stop "$name is ${!name}, which is no file, may not be read, or is empty: $step_remedy" 2
        fi
    done
}

# known KIND TARGET...: ends with 2 where one of them is no configured target of this kind (postgres, qdrant).
known() {
    local kind=$1 names choices name
    shift
    step "look for $* in the configuration" "correct what dbops names above, then run this again"
    names=$(target_names "$kind")
    choices=${names//$'\n'/, }
    for name in "$@"; do
        grep -Fxq -e "$name" <<<"$names" ||
            stop "there is no target $name of kind $kind: choose from ${choices:-(none)}, then run this again" 2
    done
}

# sql TARGET [OPTION...]: what psql answers to the statements on standard input, columns joined by |. Values go along as
# `-v name=value` and stand in the statements as :'name' or :"name".
sql() {
    local target=$1
    shift
    dbops shell "$target" -- -XAtq -v ON_ERROR_STOP=1 "$@"
}

# set_password TARGET ROLE FILE: psql hashes a password itself and sends the hash alone, so that it is in no argument,
# statement or log. Without a terminal, which setsid takes away, psql reads it from standard input.
set_password() {
    local password said
    password=$(<"$3")
    said=$(printf '%s\n%s\n' "$password" "$password" |
        setsid -w dbops shell "$1" -- -Xq -c "\\password \"${2//\"/\"\"}\"" 2>&1) || {
        printf '%s\n' "$said" >&2
        return 1
    }
}

# target_names [KIND]: the configured targets, only those of this kind (postgres, qdrant) where one is named.
target_names() {
    dbops config show | awk -v kind="${1:-}" '
        NF == 0 { is_over = 1 }
        NR > 1 && !is_over && (kind == "" || $2 == kind) { print $1 }'
}

# sets_with TARGET...: the backups that hold these targets whole, the newest first.
sets_with() {
    dbops backup list | awk -F '[ ][ ]+' -v wanted="$*" '
        BEGIN { count = split(wanted, names, " ") }
        NR > 1 {
            for (i = 1; i <= count; i++) if (!index(", " $3 ", ", ", " names[i] ", ")) next
            print $1
        }'
}

# What fails in a subshell is told once, by the shell that waits for it.
failed() {
    if [ "$BASH_SUBSHELL" = 0 ]; then
        printf '\nstopped at: %s (exit code %s)\nwhat to do: %s\n' "$step_now" "$1" "$step_remedy" >&2
    fi
    exit "$1"
}

trap 'failed $?' ERR
# Without these bash ends as its command does, and what is half done is told to nobody.
trap 'failed 130' INT
trap 'failed 143' TERM

case ${1:-} in -h | --help) usage 0 ;; esac

if ! command -v dbops >/dev/null; then
    printf 'error: there is no dbops in the PATH\n' >&2
    exit 2
fi
