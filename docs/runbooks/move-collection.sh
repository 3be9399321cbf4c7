#!/usr/bin/env bash
# move-collection.sh COLLECTION [--drop-old]
#
# A Qdrant collection gets the parameters that its declaration has now, behind its alias, while the application goes on.
# COLLECTION is its declared name or its alias. What it was before stays as the way back; --drop-old drops it.
#
#   MIN_RECALL  the part of the nearest rows that searches have to find afterwards (0.95)
#
# docs/runbooks/move-collection.md says more.

# shellcheck source-path=SCRIPTDIR source=runbook.sh
source "$(dirname "${BASH_SOURCE[0]}")/runbook.sh"
collection=${1:-}
case $#:${2:-} in
1:) drop_old='' ;;
2:--drop-old) drop_old=yes ;;
*) usage ;;
esac

step "read the declaration" "correct the file of the collections as the message says, then run this again; nothing was \
changed"
dbops qdrant plan

step "compare $collection with its table" "\`dbops qdrant sync $collection\` makes it what its table is; then run this \
again. Nothing was changed"
attempt dbops qdrant verify "$collection"
case $code in
0) ;;
2) stop "choose a collection as the message says: one that is declared, and made of a table. Nothing was changed" 2 ;;
*) failed "$code" ;;
esac

step "rebuild $collection behind its alias" "the alias leads to a whole collection, the old one or the new one. Where \
the declaration is wrong, correct it and pass --restart once: \`dbops qdrant reindex $collection --restart\`. Else run \
this again: it goes on where it was"
dbops qdrant reindex "$collection"

step "change in place what needs no rebuild" "correct the declaration as the message says, then run this again"
dbops qdrant apply --in-place

step "compare it with its table again" "\`dbops qdrant sync $collection\`, then run this again. The old collection is \
still there: \`dbops qdrant alias list\` and \`dbops qdrant alias set\` lead the application back to it"
dbops qdrant verify --deep "$collection"

step "measure what searches find" "one of the two finds too little. Where it is Qdrant, \`dbops qdrant alias set\` \
leads the application back to the old collection at once; then correct the declaration, and run this again. Where it \
is pgvector, see its index and hnsw.ef_search"
attempt dbops qdrant recall "$collection" --min "${MIN_RECALL:-0.95}"
case $code in
0) ;;
2) stop "nothing was measured, for the reason above: the collection is as it is declared and as its table is. An empty \
table has no rows to search by: run this again when it has some" 2 ;;
*) failed "$code" ;;
esac

if [ -n "$drop_old" ]; then
    step "drop what it was before" "read the message; the new collection is in use and whole"
    dbops qdrant reindex "$collection" --drop-old --yes
fi
printf '\n%s is as it is declared.\n' "$collection" >&2
