"""Proto messages as the JSON that REST sends: every field there, an absent message or optional scalar null.

Bytes are Base64, as in protobuf's own JSON.
"""

import base64
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from serving.old_stack import is_repeated

_MESSAGE: Final = FieldDescriptor.TYPE_MESSAGE


def as_json(message: Message) -> dict[str, Any]:
    """The message as plain Python, by field names."""
    return {
        name: _value(message, name, is_message, is_repeated, has_presence)
        for name, is_message, is_repeated, has_presence in _fields(message.DESCRIPTOR)
    }


@cache
def _fields(descriptor: Descriptor) -> list[tuple[str, bool, bool, bool]]:
    return [
        (field.name, field.type == _MESSAGE, is_repeated(field), bool(field.has_presence))
        for field in descriptor.fields
    ]


def _value(message: Message, name: str, is_message: bool, is_repeated: bool, has_presence: bool) -> Any:
    if has_presence and not message.HasField(name):
        return None
    value = getattr(message, name)
    if is_repeated:
        return [as_json(item) for item in value] if is_message else list(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return as_json(value) if is_message else value
