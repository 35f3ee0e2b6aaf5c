#!/usr/bin/env bash
# test_other_stack.sh DIRECTORY TARGET…: makes the other stack in DIRECTORY (other_stack.sh), runs these targets of the
# Makefile in it, then what both do together (tests/cross). Where there can be no other stack, the reason goes where all skips
# go, to build/skipped.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1 && shift
PYTEST_ARGS=${PYTEST_ARGS:-}
note() { mkdir -p build && tee -a build/skipped.txt; }

reason=$(./requirements/other_stack.sh "$directory") || {
  [ $? -eq 3 ] || exit 1
  echo "  $reason" | note
  exit 0
}
rm -f "$directory/checkout/build/skipped.txt"
"$directory/enter" make --no-print-directory "$@" "PYTEST_ARGS=$PYTEST_ARGS"
if [ -s "$directory/checkout/build/skipped.txt" ]; then sed 's/^ */  the other stack: /' "$directory/checkout/build/skipped.txt" | note; fi
directory=$(realpath "$directory")
# Below the sources, which the other stack sees too.
LOOKBOOK_OTHER_STACK=$directory/enter .venv/pipeline/bin/python -m pytest tests/cross -s --basetemp="$directory/tmp" $PYTEST_ARGS
