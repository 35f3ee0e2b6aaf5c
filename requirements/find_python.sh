#!/usr/bin/env bash
# Prints the stack that this machine gets and a Python for it, as in "py313 /usr/bin/python3.13"; the reason goes to stderr.
# An environment that is there keeps its stack; else it is the newest that this machine runs and has a Python for.
# LOOKBOOK_STACK=py310|py312|py313 forces a stack, LOOKBOOK_PYTHON names the interpreter, and with it the stack.
# LOOKBOOK_STACK=serving asks for any Python that runs the serving side alone.
set -euo pipefail
readonly pyenv=${PYENV_ROOT:-$HOME/.pyenv}
readonly by_default=(py313 py312 py310)
passed_over=()

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2) || glibc=0
system=$(uname -sm)
runs_newer() { [ "$(printf '%s\n' 2.39 "$glibc" | sort -V | head -1)" = 2.39 ]; }  # what the wheels of TFX 1.21 were built on
refuse() { printf '%s\n' "$@" >&2; exit 1; }

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
  # One package of the pipeline, pyfarmhash, is compiled.
  if [ "$wanted" != serving ] && ! "$2" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; then
    passed_over+=("${found#* } has no headers; on Debian and Ubuntu: apt-get install python3-dev, on Fedora: dnf install python3-devel")
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

why() {  # STACK
  if [ -n "$wanted" ]; then echo "LOOKBOOK_STACK says so"
  elif [ -n "${LOOKBOOK_PYTHON:-}" ]; then echo "LOOKBOOK_PYTHON says so"
  elif [ "$1" = "$made" ]; then echo "the environment that is there is of it"
  elif ! runs_newer; then echo "glibc $glibc is too old for the newer stack, which needs 2.39"
  elif [ "$1" = py310 ]; then echo "there is no Python 3.13 or 3.12"
  else echo "it is the newest that this machine has a Python for"
  fi
}

wanted=${LOOKBOOK_STACK:-}
made=
if [ -z "$wanted${LOOKBOOK_PYTHON:-}" ]; then
  made=$("${VENV:-.venv}/pipeline/bin/python" -c 'import sys; print("py%d%d" % sys.version_info[:2])' 2>/dev/null) || made=
fi
if [ "$system" != "Linux x86_64" ] && [ "$wanted" != serving ]; then
  refuse "TFX has no wheels for this system ($system), only for Linux on x86-64, so nothing can be trained here." \
    "make env-serving sets up what runs here: merger, page, client, and lookbook classify against a server." \
    "Train in a container for linux/amd64: README, Install."
fi
stacks=(py310)
if runs_newer; then stacks=("${by_default[@]}"); fi
case $wanted in
  "") if [ -n "$made" ] && [[ " ${stacks[*]} " = *" $made "* ]]; then stacks=("$made" "${stacks[@]}"); fi ;;
  py310) stacks=(py310) ;;
  py312 | py313)
    runs_newer || refuse "LOOKBOOK_STACK=$wanted: TFX 1.21 needs glibc 2.39 or newer (Debian 13, Ubuntu 24.04); this system has $glibc. py310 runs here."
    stacks=("$wanted") ;;
  serving)
    for stack in py313 py312 py311 py310; do
      if find_python "$stack"; then echo "Serving alone: $python." >&2; echo "serving $python"; exit 0; fi
    done
    refuse "Lookbook found no Python 3.10 to 3.13. Install one: uv python install 3.13    or    brew install python@3.13" ;;
  *) refuse "LOOKBOOK_STACK=$wanted: there is no such stack; there are py310, py312 and py313." ;;
esac

for stack in "${stacks[@]}"; do
  if find_python "$stack"; then answer "$stack" "$(why "$stack")"; fi
done
newest=py310
if runs_newer && [ "$wanted" != py310 ]; then newest=${wanted:-py313}; fi  # a uv that is there may fetch it
if [ -z "${LOOKBOOK_PYTHON:-}" ] && command -v uv >/dev/null && uv python install "3.${newest#py3}" >&2 && find_python "$newest"; then
  answer "$newest" "uv fetched its Python"
fi

{
  echo "Lookbook found no Python to run on (glibc $glibc; looked for: ${stacks[*]}${LOOKBOOK_PYTHON:+; LOOKBOOK_PYTHON=$LOOKBOOK_PYTHON})."
  if [ "${#passed_over[@]}" -gt 0 ]; then printf '%s\n' "${passed_over[@]}" | sort -u | sed 's/^/  /'; fi
  cat <<'MESSAGE'
Install one in one of these ways and run make again:
  Debian 13:       apt-get install python3 python3-venv python3-dev g++            (Python 3.13)
  Ubuntu 24.04:    apt-get install python3 python3-venv python3-dev g++            (Python 3.12)
  Ubuntu 22.04:    apt-get install python3 python3-venv python3-dev g++            (Python 3.10)
  Debian 12:       apt-get install g++, and    uv python install 3.10    or    pyenv install 3.10
  Fedora 41 on:    dnf install python3.13 python3.13-devel gcc-c++
  other systems:   a C++ compiler, and    uv python install 3.13 (3.10 where glibc is older than 2.39)
or name an interpreter: LOOKBOOK_PYTHON=/path/to/python make …
MESSAGE
} >&2
exit 1
