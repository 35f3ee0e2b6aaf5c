#!/usr/bin/env bash
# install.sh UV PYTHON ENVIRONMENT LOCK: makes the environment hold exactly what the lock says, and Lookbook itself.
set -euo pipefail
uv=$1 python=$2 environment=$3 lock=$4
version() { "$1" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null; }
[ "$(version "$environment/bin/python")" = "$(version "$python")" ] || "$uv" venv --quiet --clear --python "$python" "$environment"
echo "Installing $lock into $environment …" >&2
"$uv" pip sync --quiet --require-hashes --python "$environment/bin/python" "$lock"
# setup.py is built with the locked setuptools, so that nothing unlocked is fetched.
"$uv" pip install --quiet --no-deps --no-build-isolation --python "$environment/bin/python" --editable .
touch "$environment/.installed"
