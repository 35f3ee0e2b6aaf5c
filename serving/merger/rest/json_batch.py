"""A batch as JSON, read at a cost that its bytes bound.

A parser makes an object of every bracket before anyone can count them, and holds the event loop all the while. Here
what makes objects is counted as the bytes come in. Then the long texts, which are the pictures, are cut out, so that
the parser sees little more than the names, and the pictures are turned into bytes piece by piece.
"""

import asyncio
import base64
import contextlib
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf import json_format
from starlette.requests import Request

from serving.merger.core import base64_text
from serving.merger.core.calls import Batch, Item
from serving.merger.core.errors import BatchTooLarge, ImageError, ImageUndecodable, InvalidRequest
from serving.merger.settings import Settings
from serving.proto.lookbook.v1 import classifier_pb2 as pb

STRUCTURE: Final = (b"{", b"[", b",", b":", b'"')
STRUCTURE_PER_IMAGE: Final = 64
"""Characters of :data:`STRUCTURE` that a batch may have for each picture that it may have; 14 are needed."""

LONG_TEXT: Final = 4_096
"""Texts of more characters are pictures, and nothing else may be."""

MOST_REST: Final = 2**20
"""Most bytes of JSON without the pictures."""

PIECE: Final = 2**18
"""Characters of a picture that are decoded at once, less than a millisecond's work; a multiple of four."""

NAME: Final = 60
"""Characters of a field's name that a refusal repeats."""
_MARK: Final = secrets.token_hex(8)
"""Begins the text that stands for one cut out; nobody outside can know it."""


async def read(request: Request, settings: Settings) -> bytearray:
    """The body, read no further than needed to know that it is no batch.

    Raises:
        BatchTooLarge, InvalidRequest: it has more structure than a batch can need.
    """
    body, counts = bytearray(), dict.fromkeys(STRUCTURE, 0)
    most = STRUCTURE_PER_IMAGE * settings.max_batch_images
    async for chunk in request.stream():
        for character in STRUCTURE:
            counts[character] += chunk.count(character)
        if sum(counts.values()) > most:
            raise _too_much(counts, most, settings)
        body += chunk
    return body


async def parse(body: bytearray, settings: Settings) -> Batch:
    """The batch in ``body``.

    Raises:
        BatchTooLarge: it has too many pictures.
        InvalidRequest: it is no ClassifyBatchRequest. A text that is no Base64 is the error of its item alone.
    """
    errors: dict[int, ImageError] = {}
    rest, pictures = _cut_out(body)
    try:
        document = json.loads(_text(rest), object_pairs_hook=once)
        require_known_fields(document, pb.ClassifyBatchRequest.DESCRIPTOR)
        places = _places(document, settings, errors)
        message = json_format.ParseDict(document, pb.ClassifyBatchRequest())
    except (ValueError, json_format.ParseError, RecursionError) as error:
        raise InvalidRequest(f"The JSON is no ClassifyBatchRequest: {str(error)[:200]}") from error
    if len(pictures) != len(set(places.values())):
        raise InvalidRequest(f"The JSON has a text of more than {LONG_TEXT} characters that is no picture of an item.")
    images = {}
    for i, number in places.items():
        with _noting(errors, i):
            images[i] = await _decoded(body, pictures[number])
    items = [
        Item(item.id, images.get(i, b"") or item.image, item.name, errors.get(i))
        for i, item in enumerate(message.items)
    ]
    return Batch(items, message.options)


def _text(rest: bytes) -> str:
    if (encoding := json.detect_encoding(rest)) not in ("utf-8", "utf-8-sig"):
        raise ValueError(f"it is {encoding.upper()}; send UTF-8.")
    try:
        return rest.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8, whatever the content type says; {error}.") from error


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as JSON has it, where a name that comes again would take the place of the first without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, times)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the field “{twice[:NAME]}” is there {times} times; once is right.")
    return found


def require_known_fields(document: Any, message: Any, where: str = "") -> None:
    """Refuses a name that the message of descriptor ``message`` does not have, with those that it has.

    Raises:
        ValueError: there is such a name, or a field by both of its names.
    """
    if not isinstance(document, dict):
        return
    fields = {name: field for field in message.fields for name in (field.name, field.json_name)}
    for name, value in document.items():
        if name not in fields:
            known = ", ".join(field.name for field in message.fields)
            raise ValueError(f"{where or 'it'} has the unknown field “{name[:NAME]}”; its fields are {known}.")
        _look_into(value, fields[name], f"{where}.{name}".removeprefix("."))
    once([(fields[name].name, None) for name in document])


def _look_into(value: Any, field: Any, where: str) -> None:
    if field.message_type is None:
        return
    if isinstance(value, list):
        for index, one in enumerate(value):
            require_known_fields(one, field.message_type, f"{where}[{index}]")
    else:
        require_known_fields(value, field.message_type, where)


def _too_much(counts: dict[bytes, int], most: int, settings: Settings) -> InvalidRequest:
    if max(counts, key=counts.__getitem__) == b"[":
        return InvalidRequest("The JSON is no ClassifyBatchRequest: it has more lists than a batch has.")
    return BatchTooLarge(
        f"The JSON has more than {most} brackets, commas, colons and quotes, which is more than "
        f"{settings.max_batch_images} pictures need, and no more are allowed."
    )


def _cut_out(body: bytearray) -> tuple[bytes, list[slice]]:
    """The JSON with a mark in place of each long text, and where those texts are."""
    rest, texts, copied = bytearray(), list[slice](), 0
    start = body.find(b'"')
    while start >= 0:
        end = _end_of_text(body, start + 1)
        if end - start - 1 > LONG_TEXT:
            rest += body[copied : start + 1] + f"{_MARK}{len(texts)}".encode()
            texts.append(slice(start + 1, end))
            copied = end
        start = body.find(b'"', end + 1)
    rest += body[copied : copied + MOST_REST + 1]
    if len(rest) > MOST_REST:
        raise InvalidRequest(f"The JSON has more than {MOST_REST} bytes besides its pictures.")
    return bytes(rest), texts


def _end_of_text(body: bytearray, start: int) -> int:
    """Where the quote is that ends the text from ``start`` on; the end of all if there is none."""
    end = body.find(b'"', start)
    while end >= 0 and _is_escaped(body, end, start):
        end = body.find(b'"', end + 1)
    return end if end >= 0 else len(body)


def _is_escaped(body: bytearray, at: int, start: int) -> bool:
    before = bytes(body[max(start, at - LONG_TEXT) : at])
    return bool((len(before) - len(before.rstrip(b"\\"))) % 2)


def _places(document: Any, settings: Settings, errors: dict[int, ImageError]) -> dict[int, int]:
    """Item → number of the text that is its picture; each such text is emptied, as is each that is no Base64."""
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    items = document.get("items")
    if not isinstance(items, list):
        return {}
    if len(items) > settings.max_batch_images:
        raise BatchTooLarge(f"The call has {len(items)} pictures; at most {settings.max_batch_images} are allowed.")
    places = {}
    for i, item in enumerate(items):
        image = _texts(item, i).get("image")
        if image is None:
            continue
        if image.startswith(_MARK):
            places[i] = int(image.removeprefix(_MARK))
        item["image"] = ""
        if i not in places:
            with _noting(errors, i):
                item["image"] = base64.b64encode(base64_text.short(image.encode())).decode()
    return places


def _texts(item: Any, place: int) -> dict[str, str]:
    """The fields of an item that hold something: texts, all of them."""
    fields = {name: value for name, value in item.items() if value is not None} if isinstance(item, dict) else {}
    for name, value in fields.items():
        if not isinstance(value, str):
            raise ValueError(f"items[{place}].{name} must be text in quotes, not {str(value)[:NAME]}")
    return fields


@contextlib.contextmanager
def _noting(errors: dict[int, ImageError], item: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        errors[item] = ImageUndecodable(f"The picture items[{item}].image {error}.")


async def _decoded(body: bytearray, where: slice) -> bytes:
    """The bytes of a picture: Base64, which may be wrapped in lines, lack its padding or be in a data URL."""
    at, image, left = where.start, bytearray(), b""
    if base64_text.DATA.match(body, at, where.stop):
        at += len(base64_text.data_url(bytes(body[at : min(at + LONG_TEXT, where.stop)])))
    base64_text.require_lines(bytes(body[at : min(at + LONG_TEXT, where.stop)]), before=at - where.start)
    while at < where.stop:
        piece = left + bytes(body[at : min(at + PIECE, where.stop)])
        at += PIECE
        whole, left = base64_text.split(piece) if at < where.stop else (piece, b"")
        image += base64_text.bytes_of(base64_text.plain(whole))
        await asyncio.sleep(0)
    return bytes(image)
