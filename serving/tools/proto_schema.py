"""Turns a compiled .proto into JSON schemas with its comments, for the OpenAPI description of the REST API.

Called by ``generate_proto.sh``: ``python proto_schema.py DESCRIPTOR_SET OUT.json``. Needs only protobuf.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

Field = descriptor_pb2.FieldDescriptorProto
MESSAGE_FIELD = 4  # number of DescriptorProto's place in a file, and
FIELD_FIELD = 2  # of a field's place in a message, as source locations spell them

SCALARS: dict[int, dict[str, str]] = {
    Field.TYPE_STRING: {"type": "string"},
    Field.TYPE_BYTES: {"type": "string", "format": "byte"},
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_UINT32: {"type": "integer"},
    Field.TYPE_DOUBLE: {"type": "number"},
}


def schemas(file: descriptor_pb2.FileDescriptorProto) -> dict[str, Any]:
    """Message → JSON schema, as the REST API shows it: every field there, an absent one null."""
    comments = dict(_comments(file))
    return {
        message.name: {
            "type": "object",
            "description": comments.get((MESSAGE_FIELD, position), ""),
            "properties": {
                field.name: _property(field, comments.get((MESSAGE_FIELD, position, FIELD_FIELD, place), ""))
                for place, field in enumerate(message.field)
            },
            "required": [field.name for field in message.field],
        }
        for position, message in enumerate(file.message_type)
    }


def _comments(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    for location in file.source_code_info.location:
        text = location.leading_comments or location.trailing_comments
        yield tuple(location.path), " ".join(text.split())


def _property(field: descriptor_pb2.FieldDescriptorProto, comment: str) -> dict[str, Any]:
    is_message = field.type == Field.TYPE_MESSAGE
    reference = {"$ref": f"#/components/schemas/{field.type_name.rsplit('.', 1)[-1]}"}
    schema: dict[str, Any] = reference if is_message else dict(SCALARS[field.type])
    if field.label == Field.LABEL_REPEATED:
        schema = {"type": "array", "items": schema}
    elif is_message or field.proto3_optional:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return schema | {"description": comment}


def main() -> None:
    """The command line."""
    source, target = map(Path, sys.argv[1:])
    found = descriptor_pb2.FileDescriptorSet.FromString(source.read_bytes())
    target.write_text(json.dumps(schemas(found.file[0]), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
