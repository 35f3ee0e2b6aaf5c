#!/bin/sh
# Regenerates what lies beside classifier.proto: the Python code, and the JSON schemas for the REST API's description.
#
# The compiler is old on purpose: its output runs on protobuf 3.20 (the pipeline's) up to 7 (the merger's), while newer
# compilers write code that refuses an older runtime. Needs uv and the package index; UV names another uv.
set -eu
cd "$(dirname "$0")/../.."
PROTO=serving/proto/lookbook/v1/classifier
DESCRIPTORS=$(mktemp)
trap 'rm -f "$DESCRIPTORS"' EXIT

throw_away_python() {
    "${UV:-uv}" run --no-project --isolated --quiet --python 3.10 \
        --with 'grpcio-tools==1.54.3' --with 'setuptools<81' python -W ignore "$@"
}

throw_away_python -m grpc_tools.protoc --proto_path=. --python_out=. --pyi_out=. --grpc_python_out=. \
    --descriptor_set_out="$DESCRIPTORS" --include_source_info "$PROTO.proto"
throw_away_python serving/tools/proto_schema.py "$DESCRIPTORS" "$PROTO.schema.json"
