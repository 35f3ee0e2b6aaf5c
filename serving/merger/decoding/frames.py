"""What the merger and its decoding processes say to each other: a JSON object and byte strings.

Not pickled: whoever broke into a decoder by a picture should not own the merger too.
"""

import json
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

HEAD: Final = struct.Struct(">I")


class Frame(NamedTuple):
    """One message."""

    words: dict[str, Any]
    blobs: Sequence[bytes] = ()


def pack(frame: Frame) -> list[bytes]:
    """The message as it goes over a socket, in parts."""
    words = json.dumps({"words": frame.words, "sizes": [len(blob) for blob in frame.blobs]}).encode()
    return [HEAD.pack(len(words)) + words, *frame.blobs]


def unpack(read: Callable[[int], bytes]) -> Frame:
    """The next message.

    Args:
        read: gives exactly so many bytes.
    """
    head = json.loads(read(HEAD.unpack(read(HEAD.size))[0]))
    return Frame(head["words"], [read(size) for size in head["sizes"]])


async def unpack_async(read: Callable[[int], Awaitable[bytes]]) -> Frame:
    """The same, awaited."""
    head = json.loads(await read(HEAD.unpack(await read(HEAD.size))[0]))
    return Frame(head["words"], [await read(size) for size in head["sizes"]])
