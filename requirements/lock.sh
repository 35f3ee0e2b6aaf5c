#!/usr/bin/env bash
# lock.sh UV [DIRECTORY]: resolves the four locks from setup.py into DIRECTORY, keeping the versions that are there.
set -euo pipefail
uv=$1 directory=${2:-requirements}
compile() {
  "$uv" pip compile --quiet setup.py --python-version 3.10 --generate-hashes --custom-compile-command "make lock" "$@"
}
compile --extra pipeline --output-file "$directory/pipeline.txt"
compile --extra pipeline --extra dev --extra k8s --constraint "$directory/pipeline.txt" --output-file "$directory/pipeline-dev.txt"
compile --extra serving --output-file "$directory/serving.txt"
compile --extra serving --extra dev --constraint "$directory/serving.txt" --output-file "$directory/serving-dev.txt"
