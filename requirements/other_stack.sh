#!/usr/bin/env bash
# other_stack.sh DIRECTORY: a copy of these sources in DIRECTORY/checkout with environments of the other stack, and
# DIRECTORY/enter, which runs a command there. Where this system is too old for the newer stack, that is in a Debian 13 root,
# which it makes by mmdebstrap. Exit status 3, with the reason on stdout, where there can be no other stack.
set -euo pipefail
unset LOOKBOOK_STACK LOOKBOOK_PYTHON PYTHONPATH MAKEFLAGS  # they speak of this stack
mkdir -p "$1"
directory=$(cd "$1" && pwd) root=$directory/root checkout=$directory/checkout
sources=$(cd "$(dirname "$0")/.." && pwd)
give_up() { echo "the other stack: $*"; exit 3; }

copy_sources() {  # as they are now, whether committed or not; the environments that are there stay
  rm -rf "$directory/new" && mkdir -p "$directory/new"
  git -C "$sources" ls-files -z --cached --others --exclude-standard --deduplicate |
    tar -C "$sources" --ignore-failed-read --null --files-from - --create 2>/dev/null | tar -C "$directory/new" --extract
  if [ -d "$checkout/.venv" ]; then mv "$checkout/.venv" "$directory/new/"; fi
  rm -rf "$checkout" && mv "$directory/new" "$checkout"
}

write_enter() { printf '#!/usr/bin/env bash\nunset LOOKBOOK_STACK LOOKBOOK_PYTHON PYTHONPATH MAKEFLAGS\n%s\n' "$1" > "$directory/enter" && chmod +x "$directory/enter"; }

# Network and package clients work inside once what they are told here is there too.
debian_13() {
  [ "$(id -u)" -eq 0 ] || give_up "only root can make and enter a Debian 13 root, which this system's old glibc asks for"
  unshare --mount true 2>/dev/null || give_up "no mount namespace can be made here (unshare --mount)"
  if ! command -v mmdebstrap >/dev/null; then
    { apt-get update -qq; apt-get install -y -qq --no-install-recommends mmdebstrap; } >/dev/null 2>&1 || give_up "there is no mmdebstrap; apt-get install mmdebstrap"
  fi
  if [ ! -e "$root" ]; then
    rm -rf "$root.new"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,curl,g++,git,make,procps,python3,python3-dev,python3-venv \
      trixie "$root.new" >&2 || give_up "mmdebstrap could not make a Debian 13 root"
    mv "$root.new" "$root"
  fi
  for file in /etc/resolv.conf /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    if [ -e "$file" ]; then cp --dereference "$file" "$root$file"; fi
  done
  mkdir -p "$root$sources"
  write_enter "exec unshare --mount --propagation private bash -c '
set -e
mount -t proc proc $root/proc
mount --rbind /dev $root/dev
mount --bind \"$sources\" \"$root$sources\"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
exec chroot $root /usr/bin/env --chdir=\"$checkout\" -- \"\$@\"' enter \"\$@\""
}

glibc=$(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)
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
    LOOKBOOK_STACK=py310 "$sources/requirements/find_python.sh" >/dev/null || give_up "no Python 3.10 was found"
    write_enter "cd \"$checkout\" && exec \"\$@\"" ;;
esac
copy_sources
"$directory/enter" make env LOOKBOOK_STACK=$other >&2
