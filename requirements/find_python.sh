#!/usr/bin/env bash
# Prints a Python 3.10 interpreter: TFX 1.16 runs on no newer one.
set -euo pipefail
for candidate in "${LOOKBOOK_PYTHON:-}" python3.10 python3 python; do
  [ -n "$candidate" ] || continue
  found=$("$candidate" -c 'import sys; print(sys.executable if sys.version_info[:2] == (3, 10) else "")' 2>/dev/null) || continue
  if [ -n "$found" ]; then echo "$found"; exit 0; fi
done
if command -v uv >/dev/null && found=$(uv python find 3.10 2>/dev/null || { uv python install 3.10 >&2 && uv python find 3.10; }); then
  echo "$found"; exit 0
fi
cat >&2 <<'MESSAGE'
Lookbook needs Python 3.10 and found none. Install it in one of these ways and run make again:
  pyenv install 3.10        (.python-version names it already)
  uv python install 3.10
  apt-get install python3.10 python3.10-venv    (Ubuntu 22.04)
or name an interpreter: LOOKBOOK_PYTHON=/path/to/python3.10 make …
MESSAGE
exit 1
