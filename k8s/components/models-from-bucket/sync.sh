#!/bin/sh
# Keeps the two newest releases of $RELEASE_REMOTE in the folder $1, as `lookbook` would leave them there.
#   sync.sh FOLDER once    until there is a release, then ends
#   sync.sh FOLDER         for ever
# A release counts once its manifest is there. Both models are copied beside their place before either is renamed into
# it, so that a model server never sees half of one.
set -eu
folder=$1
models="article_type category"

fetch() {
  for model in $models; do
    [ -d "$folder/$model/$1" ] && continue
    rclone copy --create-empty-src-dirs "$RELEASE_REMOTE/$model/$1" "$folder/$model/.incoming-$1" || return 1
  done
  for model in $models; do
    [ -d "$folder/$model/$1" ] || mv "$folder/$model/.incoming-$1" "$folder/$model/$1" || return 1
  done
}

# What the store no longer lists was rolled back, or is too old.
drop_others() {
  for model in $models; do
    for path in "$folder/$model"/[0-9]*; do
      case " $1 " in *" ${path##*/} "*) ;; *) rm -rf "$path" ;; esac
    done
  done
}

look() {
  listed=$(rclone lsf "$RELEASE_REMOTE/manifests" --include '[0-9]*.json') || return 1
  wanted=$(printf '%s\n' "$listed" | sed -n 's/\.json$//p' | sort -n | tail -n 2 | tr '\n' ' ')
  [ -n "${wanted% }" ] || return 1
  for version in $wanted; do fetch "$version" || return 1; done
  drop_others "${wanted% }"
}

mkdir -p "$folder/article_type" "$folder/category"
while :; do
  if look; then
    [ "${2:-}" = once ] && exit 0
  else
    echo "no release could be read from $RELEASE_REMOTE" >&2
  fi
  sleep "$RELEASE_INTERVAL_S"
done
