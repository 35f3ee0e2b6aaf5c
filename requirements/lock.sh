#!/usr/bin/env bash
# lock.sh UV [DIRECTORY]: resolves all locks into DIRECTORY, keeping the versions that are there: those of the environments
# from setup.py, those of the tools from the .in files beside this one.
set -euo pipefail
uv=$1 directory=${2:-requirements}
compile() { "$uv" pip compile --quiet --generate-hashes --custom-compile-command "make lock" "$@"; }
# One lock for Python 3.10 to 3.13, the same versions on all.
compile_for_all() { compile --universal --fork-strategy fewest --python-version 3.10 "$@"; }
stack() {  # NAME OPTION…: the pipeline's two locks
  local name=$1 && shift
  compile "$@" setup.py --extra pipeline --output-file "$directory/pipeline-$name.txt"
  compile "$@" setup.py --extra pipeline --extra dev --extra k8s --constraint "$directory/pipeline-$name.txt" \
    --output-file "$directory/pipeline-$name-dev.txt"
}
stack py310 --python-version 3.10 --python-platform x86_64-manylinux_2_35
for version in 3.12 3.13; do
  stack "py${version/./}" --python-version "$version" --python-platform x86_64-manylinux_2_39 --override requirements/overrides.in
done
compile_for_all setup.py --extra serving --output-file "$directory/serving.txt"
compile_for_all setup.py --extra serving --extra dev --constraint "$directory/serving.txt" --output-file "$directory/serving-dev.txt"
for tool in uv checks hardening; do
  compile_for_all "requirements/$tool.in" --output-file "$directory/$tool.txt"
done
