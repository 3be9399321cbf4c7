#!/usr/bin/env bash
# lost-qdrant.sh TARGET
#
# Qdrant has lost its data: makes the declared collections anew, fills them from the tables that their points come from,
# and compares. TARGET is the Qdrant target of the configuration, for instance `qdrant`; its server runs, empty or with
# what is left. docs/runbooks/lost-qdrant.md says more.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"
[ $# = 1 ] || usage
target=$1
known qdrant "$target"

step "reach Qdrant" "start an empty Qdrant server where the configuration has it (\`dbops doctor $target\` says what \
is wrong), then run this again"
dbops qdrant status -t "$target"

step "make the declared collections" "what cannot be made in place belongs to collections that are not lost: look at \
\`dbops qdrant plan -t $target\`, then run this again"
dbops qdrant apply -t "$target"

step "fill them from their tables" "a database that does not answer comes first (\`dbops doctor\`). Refused with 4: \
this server holds points that have no row. See which side is right (\`dbops qdrant sync --dry-run\`); a database that \
lost rows is restored first. Then run this again: it goes on where it was"
dbops qdrant sync -t "$target"

step "compare them with their tables" "what was written meanwhile differs until the next \`dbops qdrant sync\`: run \
this again. What stays different is shown by \`dbops qdrant verify --deep -t $target\`"
code=0
compared=$(dbops qdrant verify -t "$target") || code=$?
printf '%s\n' "$compared"
[ "$code" = 0 ] || failed "$code"
if grep -q ' 0 rows of ' <<<"$compared"; then
    stop "a table is empty, and so is what it fills: restore its database (\`dbops backup list\`), then run this \
again" 3
fi

step "check their health" "do what the findings say, then run this again"
dbops health "$target" --check reachable --check authentication --check collections --check row_counts

printf '\n%s is as its tables are.\n' "$target" >&2
