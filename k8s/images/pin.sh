#!/usr/bin/env bash
# pin.sh REGISTRY [TAG]: builds and pushes the images to REGISTRY and writes all digests into overlays/prod/images.
#   k8s/images/pin.sh registry.example.com/lookbook 0.2.0
# Needs docker with buildx, logged in to REGISTRY. TensorFlow Serving is not rebuilt, only looked up. Base images are built on by
# the digest that their tag has now, which the built image's provenance keeps. Always for x86-64, whatever builds: TFX and TensorFlow
# Serving have nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
registry=${1:?give the registry, for example registry.example.com/lookbook}
tag=${2:-$(git rev-parse --short HEAD)}
serving=docker.io/tensorflow/serving
# Two containers run it.
serving_tag=$(sed -n "s|.*image: $serving:||p" k8s/base/model-server/deployment.yaml | sort -u)

digest() { docker buildx imagetools inspect "$1" --format '{{.Manifest.Digest}}'; }

for image in merger pipeline; do
  file=k8s/images/$image.Dockerfile
  bases=()
  while IFS='=' read -r argument base; do
    base_digest=$(digest "$base")
    bases+=(--build-arg "$argument=$base@$base_digest")
  done < <(sed -n 's/^ARG \([A-Z]*_IMAGE\)=/\1=/p' "$file")
  docker buildx build --push --platform linux/amd64 --file "$file" "${bases[@]}" --tag "$registry/$image:$tag" .
done
serving_digest=$(digest "$serving:$serving_tag")
merger_digest=$(digest "$registry/merger:$tag")
pipeline_digest=$(digest "$registry/pipeline:$tag")

cat > k8s/overlays/prod/images/kustomization.yaml <<MANIFEST
# Written by k8s/images/pin.sh: what runs in production, to the byte.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
  - name: $serving  # $serving_tag
    digest: $serving_digest
  - name: lookbook/merger  # $tag
    newName: $registry/merger
    digest: $merger_digest
  - name: lookbook/pipeline  # $tag
    newName: $registry/pipeline
    digest: $pipeline_digest
MANIFEST
