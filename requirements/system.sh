#!/usr/bin/env bash
# Installs the system's programs that tests want and that are missing: by apt-get, where it is there and may be used.
# What is missing then skips its tests, with the reason.
set -euo pipefail
declare -A package=([chromium]=chromium [curl]=curl [setpriv]=util-linux [g++]=g++ [psql]=postgresql)
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
[ "${#missing[@]}" -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Not installed, tests that need it are skipped: ${missing[*]}. As root on Debian: apt-get install ${missing[*]}" >&2
  exit 0
fi
echo "Installing ${missing[*]} by apt-get …" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null; then
  echo "apt-get could not install ${missing[*]}: tests that need it are skipped" >&2
fi
