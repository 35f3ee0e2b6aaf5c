#!/usr/bin/env bash
# install.sh UV ENVIRONMENT LOCK: makes the environment hold exactly what the lock says, and Lookbook itself.
set -euo pipefail
uv=$1 environment=$2 lock=$3
python=$("$(dirname "$0")/find_python.sh")
[ -x "$environment/bin/python" ] || "$uv" venv --quiet --python "$python" "$environment"
echo "Installing $lock into $environment …" >&2
"$uv" pip sync --quiet --require-hashes --python "$environment/bin/python" "$lock"
# setup.py is built with the locked setuptools, so that nothing unlocked is fetched.
"$uv" pip install --quiet --no-deps --no-build-isolation --python "$environment/bin/python" --editable .
touch "$environment/.installed"
