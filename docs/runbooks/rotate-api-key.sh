#!/usr/bin/env bash
# rotate-api-key.sh TARGET VARIABLE
#
# Looks how far the change of a Qdrant server's API key is: the new key has to be accepted, dbops has to use it, the old
# one has to be refused. TARGET is a Qdrant target, VARIABLE the one that its `api_key` comes from: QDRANT_API_KEY.
#
#   NEW_KEY_FILE  a file with the new key
#   OLD_KEY_FILE  a file with the key that others know
#
# The server reads its keys when it starts: docs/runbooks/rotate-api-key.md has the order that needs no downtime.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"
[ $# = 2 ] || usage
target=$1 variable=$2
[[ $variable =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || usage
need NEW_KEY_FILE OLD_KEY_FILE

# Whether the server lets dbops in with the key in this file.
gets_in() {
    env -u "$variable" "${variable}_FILE=$1" dbops doctor "$target"
}

# Whether the server refuses the key in this file. A server that does not answer refuses nothing.
is_refused() {
    local said code=0
    said=$(gets_in "$1" 2>&1) || code=$?
    [ "$code" != 0 ] || return 1
    if [ "$code" != 3 ] || ! grep -q '✗ key ' <<<"$said" || ! grep -Fq QDRANT__SERVICE__API_KEY <<<"$said"; then
        printf '%s\n' "$said" >&2
        stop "this is no refusal of the key: nothing is proved. Mend what is named above, and run this again" "$code"
    fi
}

known qdrant "$target"

step "read the keys" "write one line into each file: \`openssl rand -hex 24 > FILE\`"
need_file NEW_KEY_FILE OLD_KEY_FILE
if [ "$(<"$NEW_KEY_FILE")" = "$(<"$OLD_KEY_FILE")" ]; then
    stop "the new key is the old one: \`openssl rand -hex 24 > $NEW_KEY_FILE\`" 2
fi

step "try the new key" "the server does not know it yet, or does not answer, as above. Start it with the new key as \
QDRANT__SERVICE__ALT_API_KEY beside the old one (before Qdrant 1.17: in its place), and run this again"
gets_in "$NEW_KEY_FILE"

step "try no key" "see \`dbops doctor $target\`"
nonsense=$(mktemp)
trap 'rm -f "$nonsense"' EXIT
od -An -N16 -tx1 /dev/urandom | tr -d ' ' >"$nonsense"
if ! is_refused "$nonsense"; then
    stop "any key opens the door: the server asks for none, or $variable is not where the configuration has it \
from. Start it with the new one as QDRANT__SERVICE__API_KEY, and run this again"
fi

step "see which key dbops uses" "put the new key where $variable comes from, and run this again"
dbops doctor "$target"

step "try the old key" "see \`dbops doctor $target\`"
if ! is_refused "$OLD_KEY_FILE"; then
    stop "the server still takes the old key. Hand the new one to the applications, then start the server with it as \
QDRANT__SERVICE__API_KEY and without the old one, and run this again"
fi
step "try the new key again" "the server answers no more, or takes no key: see what is named above, and run this again"
gets_in "$NEW_KEY_FILE"
printf '\n%s takes the new key only.\n' "$target" >&2
