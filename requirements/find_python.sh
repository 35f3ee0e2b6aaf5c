#!/usr/bin/env bash
# Prints the stack that this machine gets and a Python for it, as in "py310 /usr/bin/python3.10"; the reason goes to stderr.
# LOOKBOOK_STACK=py310|py312|py313 forces a stack, LOOKBOOK_PYTHON names the interpreter, and with it the stack.
set -euo pipefail
readonly pyenv=${PYENV_ROOT:-$HOME/.pyenv}
passed_over=()

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2) || glibc=0
runs_newer() { [ "$(printf '%s\n' 2.39 "$glibc" | sort -V | head -1)" = 2.39 ]; }  # what the wheels of TFX 1.21 were built on

# The interpreter of a command (not a virtual environment's), if it is of the stack and can make environments.
usable() {  # STACK COMMAND
  local found
  found=$("$2" -c 'import sys; v = sys.version_info; print(f"py{v[0]}{v[1]} {sys.base_prefix}/bin/python{v[0]}.{v[1]}")' \
    2>/dev/null) || return 1
  [ "${found%% *}" = "$1" ] || return 1
  if ! "$2" -c 'import ensurepip, venv' 2>/dev/null; then
    passed_over+=("${found#* } makes no environments; on Debian and Ubuntu: apt-get install python3-venv")
    return 1
  fi
  python=${found#* }
}

find_python() {  # STACK
  local candidate version=3.${1#py3}
  if [ -n "${LOOKBOOK_PYTHON:-}" ]; then usable "$1" "$LOOKBOOK_PYTHON"; return; fi
  for candidate in "python$version" python3 python "$pyenv/versions/$version".*/bin/python; do
    if usable "$1" "$candidate"; then return; fi
  done
  command -v uv >/dev/null && candidate=$(uv python find "$version" 2>/dev/null) && usable "$1" "$candidate"
}

answer() {  # STACK REASON
  local -A tfx=([py310]=1.16 [py312]=1.21 [py313]=1.21)
  echo "Stack $1: TFX ${tfx[$1]} on $python, since $2. LOOKBOOK_STACK forces another." >&2
  echo "$1 $python"
  exit 0
}

stacks=(py310)
if runs_newer; then stacks+=(py313 py312); fi
wanted=${LOOKBOOK_STACK:-}
case $wanted in
  "") ;;
  py310) stacks=(py310) ;;
  py312 | py313)
    if ! runs_newer; then
      echo "LOOKBOOK_STACK=$wanted: TFX 1.21 needs glibc 2.39 or newer (Debian 13, Ubuntu 24.04); this system has $glibc. py310 runs here." >&2
      exit 1
    fi
    stacks=("$wanted") ;;
  *) echo "LOOKBOOK_STACK=$wanted: there is no such stack; there are py310, py312 and py313." >&2; exit 1 ;;
esac

for stack in "${stacks[@]}"; do
  if find_python "$stack"; then
    if [ -n "$wanted" ]; then answer "$stack" "LOOKBOOK_STACK says so"; fi
    if [ "$stack" = py310 ]; then answer "$stack" "there is a Python 3.10, and this stack is the default where it runs"; fi
    answer "$stack" "there is no Python 3.10, and glibc $glibc runs the newer stack"
  fi
done
last=${stacks[${#stacks[@]} - 1]}  # a uv that is there may fetch it
if [ -z "${LOOKBOOK_PYTHON:-}" ] && command -v uv >/dev/null && uv python install "3.${last#py3}" >&2 && find_python "$last"; then
  answer "$last" "uv fetched its Python"
fi

{
  echo "Lookbook found no Python to run on (glibc $glibc; looked for: ${stacks[*]}${LOOKBOOK_PYTHON:+; LOOKBOOK_PYTHON=$LOOKBOOK_PYTHON})."
  if [ "${#passed_over[@]}" -gt 0 ]; then printf '  %s\n' "${passed_over[@]}"; fi
  cat <<'MESSAGE'
Install one in one of these ways and run make again:
  Debian 13:       apt-get install python3 python3-venv python3-dev g++            (Python 3.13)
  Ubuntu 24.04:    apt-get install python3 python3-venv python3-dev g++            (Python 3.12)
  Ubuntu 22.04:    apt-get install python3.10 python3.10-venv python3.10-dev g++   (Python 3.10)
  other systems:   uv python install 3.10    or    pyenv install 3.10
or name an interpreter: LOOKBOOK_PYTHON=/path/to/python make …
MESSAGE
} >&2
exit 1
