#!/usr/bin/env bash
# lock.sh UV [DIRECTORY]: resolves all locks into DIRECTORY, keeping the versions that are there: those of both environments
# from setup.py, those of the tools from the .in files beside this one.
set -euo pipefail
uv=$1 directory=${2:-requirements}
compile() {
  "$uv" pip compile --quiet --python-version 3.10 --generate-hashes --custom-compile-command "make lock" "$@"
}
compile setup.py --extra pipeline --output-file "$directory/pipeline.txt"
compile setup.py --extra pipeline --extra dev --extra k8s --constraint "$directory/pipeline.txt" --output-file "$directory/pipeline-dev.txt"
compile setup.py --extra serving --output-file "$directory/serving.txt"
compile setup.py --extra serving --extra dev --constraint "$directory/serving.txt" --output-file "$directory/serving-dev.txt"
for tool in uv checks hardening; do
  compile "requirements/$tool.in" --output-file "$directory/$tool.txt"
done
