#!/usr/bin/env bash
# test_other_stack.sh DIRECTORY TARGET…: makes the other stack in DIRECTORY (other_stack.sh), runs these targets of the
# Makefile in it, then what both do together (make test-cross). Where there can be no other stack, the reason goes where all
# skips go, to build/skipped.txt. PYTEST_ARGS of the environment reaches every pytest, as make exports it.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1 && shift
note() { mkdir -p build && tee -a build/skipped.txt; }

reason=$(./requirements/other_stack.sh "$directory") || {
  [ $? -eq 3 ] || exit 1
  echo "  $reason" | note
  exit 0
}
"$directory/enter" make --no-print-directory "$@"
if [ -s "$directory/checkout/build/skipped.txt" ]; then sed 's/^ */  the other stack: /' "$directory/checkout/build/skipped.txt" | note; fi
make --no-print-directory test-cross
