"""A batch as JSON, read at a cost that its bytes bound.

A parser makes an object of every bracket before anyone can count them, and holds the event loop all the while. Here
what makes objects is counted as the bytes come in. Then the long texts, which are the pictures, are cut out, so that
the parser sees little more than the names, and the pictures are turned into bytes piece by piece.
"""

import asyncio
import binascii
import json
import re
import secrets
import string
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from google.protobuf import json_format
from starlette.requests import Request

from serving.merger.core.calls import Batch, Item
from serving.merger.core.errors import BatchTooLarge, InvalidRequest
from serving.merger.settings import Settings
from serving.proto.lookbook.v1 import classifier_pb2 as pb

STRUCTURE: Final = (b"{", b"[", b",", b":", b'"')
STRUCTURE_PER_IMAGE: Final = 64
"""Characters of :data:`STRUCTURE` that a batch may have for each picture that it may have; 14 are needed."""

LONG_TEXT: Final = 4_096
"""Texts of more characters are pictures, and nothing else may be."""

MOST_REST: Final = 2**20
"""Most bytes of JSON without the pictures."""

PIECE: Final = 2**20
"""Characters of a picture that are decoded at once, less than a millisecond's work; a multiple of four."""

BASE64: Final = (string.ascii_letters + string.digits + "+/-_").encode()
DATA_URL: Final = re.compile(rb"data:[^,]{0,200};base64,", re.IGNORECASE)
URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
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
        InvalidRequest: it is no ClassifyBatchRequest.
    """
    rest, pictures = _cut_out(body)
    try:
        document = json.loads(rest)
        places = _places(document, settings)
        message = json_format.ParseDict(document, pb.ClassifyBatchRequest())
    except (ValueError, json_format.ParseError, RecursionError) as error:
        raise InvalidRequest(f"The JSON is no ClassifyBatchRequest: {str(error)[:200]}") from error
    if len(pictures) != len(set(places.values())):
        raise InvalidRequest(f"The JSON has a text of more than {LONG_TEXT} characters that is no picture of an item.")
    images = {i: await _decoded(body, pictures[number]) for i, number in places.items()}
    items = [Item(item.id, images.get(i, b"") or item.image) for i, item in enumerate(message.items)]
    return Batch(items, message.options)


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


def _places(document: Any, settings: Settings) -> dict[int, int]:
    """Item → number of the text that is its picture; each such text is emptied."""
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    items = document.get("items")
    if not isinstance(items, list):
        return {}
    if len(items) > settings.max_batch_images:
        raise BatchTooLarge(f"The call has {len(items)} pictures; at most {settings.max_batch_images} are allowed.")
    places = {}
    for i, item in enumerate(items):
        image = item.get("image") if isinstance(item, dict) else None
        if not isinstance(image, str):
            continue
        if image.startswith(_MARK):
            places[i] = int(image.removeprefix(_MARK))
            item["image"] = ""
        elif image.isascii():
            item["image"] = _without_prefix(image.encode()).decode()
    return places


def _without_prefix(text: bytes) -> bytes:
    """The Base64 of a data URL, as browsers make them of files; any other text as it is.

    Raises:
        InvalidRequest: it is a data URL of another kind.
    """
    if text[:5].lower() != b"data:":
        return text
    start = DATA_URL.match(text)
    if start is None:
        raise InvalidRequest("A picture is a data URL without Base64; send data:image/jpeg;base64,… or Base64 alone.")
    return unquote_to_bytes(text[start.end() :])


async def _decoded(body: bytearray, where: slice) -> bytes:
    """The bytes of a picture, of whose base64 a slash may be escaped and the padding be missing."""
    text = _without_prefix(bytes(body[where]).replace(b"\\/", b"/")).rstrip(b"=")
    image = bytearray()
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        if piece.translate(None, BASE64):
            raise InvalidRequest("The JSON is no ClassifyBatchRequest: a picture is not base64.")
        piece = piece.translate(URL_SAFE)
        try:
            image += binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))
        except binascii.Error as error:
            raise InvalidRequest(f"The JSON is no ClassifyBatchRequest: a picture is not base64: {error}") from error
        await asyncio.sleep(0)
    return bytes(image)
