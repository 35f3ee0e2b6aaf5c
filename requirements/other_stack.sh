#!/usr/bin/env bash
# other_stack.sh DIRECTORY: a copy of these sources in DIRECTORY/checkout with environments of the other stack, and
# DIRECTORY/enter, which runs a command there. Where this system is too old for the newer stack, that is in a Debian 13 root,
# which it makes by mmdebstrap. Exit status 3, with the reason on stdout, where there can be no other stack on this machine.
set -euo pipefail
unset LOOKBOOK_STACK LOOKBOOK_PYTHON PYTHONPATH MAKEFLAGS VENV  # they speak of this stack
mkdir -p "$1"
directory=$(cd "$1" && pwd) root=$directory/root checkout=$directory/checkout
sources=$(cd "$(dirname "$0")/.." && pwd)
readonly needed_gb=8
give_up() { echo "the other stack: $*"; exit 3; }

copy_sources() {  # as they are now, whether committed or not; the environments that are there stay
  rm -rf "$directory/new" && mkdir -p "$directory/new"
  git -C "$sources" ls-files -z --cached --others --exclude-standard --deduplicate |
    tar -C "$sources" --ignore-failed-read --null --files-from - --create 2>/dev/null | tar -C "$directory/new" --extract
  if [ -d "$checkout/.venv" ]; then mv "$checkout/.venv" "$directory/new/"; fi
  rm -rf "$checkout" && mv "$directory/new" "$checkout"
}

write_enter() {
  printf '#!/usr/bin/env bash\nunset LOOKBOOK_STACK LOOKBOOK_PYTHON PYTHONPATH MAKEFLAGS VENV\n%s\n' "$1" > "$directory/enter"
  chmod +x "$directory/enter"
}

# One that an older version of this file made is made anew. What is mounted in it while it is made stays in a namespace of its
# own: it would outlive a killed mmdebstrap, and whoever then removed the folder would empty /dev/shm.
make_root() {
  if [ "$root" -nt "$sources/requirements/other_stack.sh" ]; then return; fi
  rm -rf --one-file-system "$root" "$root.new"
  if ! unshare --mount --propagation=private mmdebstrap --variant=minbase trixie "$root.new" > "$directory/root.log" 2>&1 \
    --dpkgopt=force-unsafe-io --include=ca-certificates,curl,g++,git,make,procps,python3,python3-dev,python3-venv; then
    cat "$directory/root.log" >&2
    rm -rf --one-file-system "$root.new"
    give_up "mmdebstrap could not make a Debian 13 root: $(grep -m 1 '^E: ' "$directory/root.log")"
  fi
  mv "$root.new" "$root" && touch "$root"
}

# Network and package clients work inside once what they are told here is there too. The cache lies where the environments
# lie, so that uv links files and copies none.
debian_13() {
  [ "$(id -u)" -eq 0 ] || give_up "only root can make and enter a Debian 13 root, which this system's old glibc asks for"
  unshare --mount true 2>/dev/null || give_up "no mount namespace can be made here (unshare --mount)"
  if ! command -v mmdebstrap >/dev/null; then
    { apt-get update -qq; apt-get install -y -qq --no-install-recommends mmdebstrap; } >/dev/null 2>&1 || give_up "there is no mmdebstrap; apt-get install mmdebstrap"
  fi
  make_root
  for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    if [ -e "$file" ]; then cp --dereference --remove-destination "$file" "$root$file"; fi
  done
  mkdir -p "$root$sources"
  write_enter "exec unshare --mount --propagation=private bash -c '
set -e
mount --rbind /proc \"$root/proc\"
mount --rbind /dev \"$root/dev\"
mount --bind \"$sources\" \"$root$sources\"
exec chroot \"$root\" /usr/bin/env --unset=TMPDIR --chdir=\"$checkout\" HOME=/root UV_CACHE_DIR=\"$directory/cache\" \\
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \"\$@\"' enter \"\$@\""
  "$directory/enter" true > "$directory/enter.log" 2>&1 || blame enter.log '^(unshare|mount|chroot): ' "a Debian 13 root cannot be entered"
}

# What the network or the disk did is no fault of the sources. Packages are called connector and async-timeout.
make_environments() {
  "$directory/enter" make env "$@" 2>&1 | tee "$directory/env.log" >&2 ||
    blame env.log 'connect([^o]|$)|(^|[^-])timed? ?out|name resolution|dns error|sending request|server error|certificate|no space left' "its environments could not be fetched"
}

# Gives up where a line of the log tells of a fault of this machine. Without one it is the sources', and red.
blame() {  # LOG PATTERN WORDS
  local line
  line=$(grep -Ei "$2" "$directory/$1" | tail -1) || { cat "$directory/$1" >&2; exit 1; }
  give_up "$3: $line"
}

git -C "$sources" ls-files >/dev/null 2> "$directory/git.log" || give_up "git does not list these sources: $(head -1 "$directory/git.log")"
[ -e "$sources/.venv/stack.txt" ] || give_up "the environments of this one are not in .venv, where it looks for them"
free_gb=$(df --output=avail --block-size=1G "$directory" | tail -1)
[ -e "$checkout/.venv/serving/.installed" ] || [ "$free_gb" -ge "$needed_gb" ] || give_up "it takes $needed_gb GB of disk, and $((free_gb)) are free"

copy_sources
glibc=$(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)
python=
case $(cut -d ' ' -f 1 "$sources/.venv/stack.txt") in
  py310)
    if [ "$(printf '%s\n' 2.39 "$glibc" | sort -V | head -1)" = 2.39 ]; then
      other=$(VENV=/none "$sources/requirements/find_python.sh" | cut -d ' ' -f 1) || other=py310
      [ "$other" != py310 ] || give_up "no Python 3.13 or 3.12 was found"
      write_enter "cd \"$checkout\" && exec \"\$@\""
    else
      other=py313
      debian_13
    fi ;;
  *)
    other=py310
    # The uv of this stack may fetch a Python, which then lies here.
    export PATH=$PATH:$sources/.venv/uv/bin UV_PYTHON_INSTALL_DIR=$directory/python
    python=$(LOOKBOOK_STACK=py310 "$sources/requirements/find_python.sh" | cut -d ' ' -f 2-) || give_up "no Python 3.10 was found, and uv could fetch none"
    write_enter "cd \"$checkout\" && exec \"\$@\"" ;;
esac
make_environments LOOKBOOK_STACK=$other ${python:+"LOOKBOOK_PYTHON=$python"}
