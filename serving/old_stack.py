"""What the older stack needs of the serving code: TFX 1.16 on Python 3.10 holds protobuf at 3.20.3.

The newer stack has protobuf 6, the merger's environment 7. When the older stack goes, this file goes, and each call
becomes the newer line of its function.
"""

from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def message_class(descriptor: Descriptor) -> Any:
    """The class of a message that no generated code declares. protobuf 3.20 lacks ``GetMessageClass`` (4.22)."""
    modern: Any = getattr(message_factory, "GetMessageClass", None)
    if modern is not None:
        return modern(descriptor)
    old: Any = message_factory
    return old.MessageFactory(descriptor.file.pool).GetPrototype(descriptor)


def as_dict(message: Message) -> dict[str, Any]:
    """The message by its field names, unset scalars and lists too. protobuf 3.20 has another word for the latter."""
    is_modern = hasattr(message_factory, "GetMessageClass")
    word = "always_print_fields_with_no_presence" if is_modern else "including_default_value_fields"
    settings: Any = {word: True, "preserving_proto_field_name": True}
    return MessageToDict(message, **settings)


def is_repeated(field: FieldDescriptor) -> bool:
    """Whether the field is a list. ``label``, all that protobuf 3.20 has, warns in 6 and is gone in 7."""
    old: Any = field
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else bool(old.label == old.LABEL_REPEATED)
