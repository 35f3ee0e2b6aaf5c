"""Messages of the contract out of bytes, once it is known that they hold no more than they may.

A parser makes an object of every field, and two bytes suffice for one. So the fields are counted first: large ones are
stepped over, and only the messages that the contract knows are looked into.
"""

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from google.protobuf.message import DecodeError, Message

from serving.merger.core.errors import BatchTooLarge, InvalidRequest

FIELDS_PER_IMAGE: Final = 16
"""Fields that a message may have for each picture that it may have; four are needed."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT: Final = 10

Parsed = TypeVar("Parsed", bound=Message)


def parse(kind: type[Parsed], data: bytes, most_images: int) -> Parsed:
    """The message of ``kind`` in ``data``.

    Raises:
        BatchTooLarge: it has more than ``most_images`` pictures.
        InvalidRequest: it has too many fields, or is no such message.
    """
    try:
        count_fields(data, kind.DESCRIPTOR, most_images)
        return kind.FromString(data)
    except (DecodeError, IndexError, ValueError) as error:
        raise InvalidRequest(
            f"The message is no {kind.DESCRIPTOR.name}: {str(error)[:200] or 'it is cut short'}."
        ) from error


def count_fields(data: bytes, descriptor: Any, most_images: int) -> int:
    """How many fields the message and the messages in it have.

    Raises:
        BatchTooLarge, InvalidRequest: too many.
        IndexError, ValueError: it is cut short, or no message.
    """
    fields, most = 0, FIELDS_PER_IMAGE * (most_images + 1)
    waiting, images = [(memoryview(data), descriptor)], 0
    while waiting:
        view, kind = waiting.pop()
        for number, content in _fields(view):
            fields += 1
            if fields > most:
                raise InvalidRequest(f"The message has more than {most} fields, which is more than it can need.")
            field = kind.fields_by_number.get(number)
            if field is None or field.message_type is None or content is None:
                continue
            images += field.name == "items"
            if images > most_images:
                raise BatchTooLarge(f"The call has more than {most_images} pictures; no more are allowed.")
            waiting.append((content, field.message_type))
    return fields


def _fields(view: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Number and content of each field, in order; None where it is no bytes."""
    at = 0
    while at < len(view):
        tag, at = _varint(view, at)
        kind, content = tag & 7, None
        if kind == _BYTES:
            length, at = _varint(view, at)
            content, at = view[at : at + length], at + length
        elif kind == _VARINT:
            _, at = _varint(view, at)
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field has the wire type {kind}")
        if at > len(view):
            raise ValueError("it is cut short")
        yield tag >> 3, content


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for i in range(_LONGEST_VARINT):
        byte = view[at + i]
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, at + i + 1
    raise ValueError("a number has no end")
