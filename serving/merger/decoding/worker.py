"""One decoding process: ``python -m serving.merger.decoding.worker SOCKET LIMIT`` (a descriptor; bytes of memory).

Each picture is two questions: what would it cost, and, once that may be spent, the pixels. It ends with the merger.
"""

import resource
import signal
import socket
import sys
from typing import Any, Final

from schema.allocator import return_large_blocks
from serving.merger.core import images
from serving.merger.core.errors import ImageError
from serving.merger.core.images import Picture, Size
from serving.merger.decoding.frames import Frame, pack, unpack

AS_IT_CAME: Final = -1


def main(descriptor: int, most_bytes: int) -> None:
    """Answers until the merger hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the merger ends in order, and this with it
    return_large_blocks()
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as stream:

        def read(count: int) -> bytes:
            data = stream.read(count)
            if len(data) < count:
                raise EOFError
            return data

        def send(frame: Frame) -> None:
            for part in pack(frame):
                connection.sendall(part)

        try:
            while True:
                question = unpack(read)
                try:
                    inspected = images.inspect(question.blobs[0], *_limits(question.words))
                    how = _sizes(question.words), question.words["most_bytes"]
                    send(Frame({"cost": images.decoding_bytes(inspected, *how)}))
                    if unpack(read).words["go"]:
                        send(_told(images.prepare(inspected, *how), question.blobs[0]))
                except ImageError as error:
                    send(Frame({"error": error.code, "detail": error.detail}))
                except MemoryError:
                    send(Frame({"error": "image_undecodable", "detail": "The picture needs too much memory."}))
                del question
        except (EOFError, ConnectionError):
            return


def _limits(words: dict[str, Any]) -> tuple[int, int]:
    return words["max_bytes"], words["max_pixels"]


def _sizes(words: dict[str, Any]) -> list[Size]:
    return [Size(*size) for size in words["sizes"]]


def _told(picture: Picture, data: bytes) -> Frame:
    """The picture; a file that stays as it came is not sent back."""
    blobs = list({id(blob): blob for blob in picture.encoded.values() if blob != data}.values())
    places = [
        (*size, AS_IT_CAME if blob == data else next(i for i, other in enumerate(blobs) if other is blob))
        for size, blob in picture.encoded.items()
    ]
    words = {name: getattr(picture, name) for name in ("format", "width", "height", "reencoded", "seconds")}
    return Frame(words | {"encoded": places}, blobs)


def picture_of(frame: Frame, data: bytes) -> Picture:
    """What :func:`_told` told, at the other end."""
    encoded = {
        Size(height, width): data if place == AS_IT_CAME else frame.blobs[place]
        for height, width, place in frame.words["encoded"]
    }
    words = {name: frame.words[name] for name in ("format", "width", "height", "reencoded", "seconds")}
    return Picture(encoded=encoded, size_bytes=len(data), **words)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
