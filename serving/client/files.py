"""Asks about files, so that one of them costs no other its answer: what cannot be read or sent has its error."""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from serving.client.client import MAX_MESSAGE_BYTES, Asked, ClassifierClient, ClassifyError, MessageTooLarge
from serving.proto.lookbook.v1 import classifier_pb2 as pb

PATIENCE_S: Final = 60.0
ENVELOPE_BYTES: Final = 16 * 2**10
"""What a message may hold besides the picture: its name, of at most 255 bytes a folder, and the options."""


NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


def results_of(
    client: ClassifierClient, files: Sequence[tuple[str, Path]], product_names: Mapping[str, str] = NO_NAMES
) -> Iterator[tuple[str, pb.ClassifyResult]]:
    """Name and final result of each file, in order; ``product_names`` has the products' by the files' names.

    Raises:
        ClassifyError: the server cannot answer.
    """
    left, most_bytes = deque(files), MAX_MESSAGE_BYTES
    while left:
        try:
            for name, result in _streamed(client, tuple(left), most_bytes - ENVELOPE_BYTES, product_names):
                left.popleft()
                yield name, result
        except MessageTooLarge as error:  # noqa: PERF203 - only the server knew what it takes; now we do
            if error.most_bytes >= most_bytes:
                raise
            most_bytes = error.most_bytes


def read_picture(path: Path, most_bytes: int = MAX_MESSAGE_BYTES - ENVELOPE_BYTES) -> bytes | pb.Problem:
    """The bytes of a file, or why there are none."""
    try:
        with path.open("rb") as stream:
            content = stream.read(most_bytes + 1)
    except OSError as error:
        return pb.Problem(code="unreadable", detail=error.strerror or str(error))
    if len(content) > most_bytes:
        return pb.Problem(
            code="image_too_large", detail=f"The file has more than the {most_bytes:,} bytes that can be sent."
        )
    return content


def _streamed(
    client: ClassifierClient, files: Sequence[tuple[str, Path]], most_bytes: int, product_names: Mapping[str, str]
) -> Iterator[tuple[str, pb.ClassifyResult]]:
    """The same by one stream; what cannot be read is not sent."""
    not_sent: dict[str, pb.ClassifyResult] = {}
    order = deque(files)

    def readable() -> Iterator[Asked]:
        for name, path in files:
            content = read_picture(path, most_bytes)
            if isinstance(content, bytes):
                yield name, content, product_names.get(name, "")
            else:
                not_sent[name] = pb.ClassifyResult(id=name, error=content)

    # Results come in the order of what was sent, and what was not sent is known before what follows it is.
    for result in client.classify_stream(readable()):
        while order[0][0] in not_sent:
            name, _ = order.popleft()
            yield name, not_sent[name]
        name, path = order.popleft()
        yield name, _final(client, result, path, product_names.get(name, ""))
    yield from ((name, not_sent[name]) for name, _ in order)


def _final(client: ClassifierClient, result: pb.ClassifyResult, path: Path, product_name: str) -> pb.ClassifyResult:
    """The result, or a later one if the server could not answer for the moment.

    Raises:
        ClassifyError: it cannot for longer.
    """
    deadline = time.monotonic() + PATIENCE_S
    while result.HasField("error") and result.error.HasField("retry_after_s"):
        again = _again(client, result, path, product_name)
        if again.error.HasField("retry_after_s"):
            if time.monotonic() > deadline:
                raise ClassifyError(again.error)
            time.sleep(again.error.retry_after_s)
        result = again
    return result


def _again(client: ClassifierClient, result: pb.ClassifyResult, path: Path, product_name: str) -> pb.ClassifyResult:
    content = read_picture(path)
    if isinstance(content, pb.Problem):
        return pb.ClassifyResult(id=result.id, index=result.index, error=content)
    try:
        return pb.ClassifyResult(id=result.id, index=result.index, answer=client.classify(content, product_name))
    except ClassifyError as error:
        return pb.ClassifyResult(id=result.id, index=result.index, error=error.problem)
