"""A small client of the merger, by gRPC, with deadlines and retries.

For example::

    with ClassifierClient("localhost:9090") as client:
        answer = client.classify(Path("shoe.jpg").read_bytes())
        print(" › ".join(answer.path))
"""

import itertools
import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final, TypeAlias

import grpc
from google.rpc import status_pb2

from schema.file_names import as_text
from serving.client.loopback import is_loopback
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.proto.lookbook.v1 import classifier_pb2_grpc

MAX_MESSAGE_BYTES: Final = 64 * 2**20
TOO_LARGE: Final = re.compile(r"message larger than max \((\d+) vs\. (\d+)\)")
"""What gRPC says of a message that one of both ends does not let pass."""
DETAILS_KEY: Final = "grpc-status-details-bin"
RETRIES: Final = 4
FIRST_BACKOFF_S: Final = 0.2
STREAM_RETRIES: Final = 6
BACKOFFS_S: Final = tuple(FIRST_BACKOFF_S * 2**attempt for attempt in range(STREAM_RETRIES))
"""Pauses before a stream is opened again, 12.6 s in all: a merger on a busy machine takes that long to come back."""

Asked: TypeAlias = tuple[str, bytes] | tuple[str, bytes, str]
"""A picture to ask about: the caller's id of it, its bytes and, where there is one, the name of the product."""
SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": RETRIES,
                "initialBackoff": f"{FIRST_BACKOFF_S}s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                # A call that its own caller cancels is over. CANCELLED is also what gRPC says for a server that cannot
                # take one, as with a thousand calls before it.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
}


class ClassifyError(Exception):
    """The merger gave no answer.

    Args:
        problem: what went wrong. When the merger could not be reached its ``code`` is "unreachable".
    """

    def __init__(self, problem: pb.Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.problem = problem

    @property
    def is_passing(self) -> bool:
        """Whether trying again later makes sense."""
        return self.problem.HasField("retry_after_s")


class MessageTooLarge(ClassifyError):
    """A message was larger than client or server let pass.

    Args:
        found_bytes: of the message.
        most_bytes: that pass.
    """

    def __init__(self, found_bytes: int, most_bytes: int) -> None:
        detail = f"The picture takes {found_bytes:,} bytes on its way; at most {most_bytes:,} pass."
        super().__init__(pb.Problem(code="image_too_large", detail=detail))
        self.most_bytes = most_bytes


class ClassifierClient:
    """Talks to one merger, or to all that the target resolves to.

    Args:
        target: gRPC target, for example ``localhost:9090``.
        timeout_s: for a call; streams have none of their own.
        options: how to answer.
        api_key: for a merger that asks for one.
        ca: PEM certificates that vouch for a merger with TLS; empty bytes: those that this machine trusts; None: the
            connection is not encrypted.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float = 30.0,
        options: pb.ClassifyOptions | None = None,
        api_key: str = "",
        ca: bytes | None = None,
    ) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._options = options or pb.ClassifyOptions()
        self._metadata = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        self._channel = _open_channel(target, ca)
        self._stub = classifier_pb2_grpc.ClassifierStub(self._channel)

    def __enter__(self) -> "ClassifierClient":
        """The client itself; leaving closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the client."""
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def classify(self, image: bytes, name: str = "") -> pb.ClassifyResponse:
        """The answer for one picture, by its product's name too where one is given.

        Args:
            image: bytes of a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF; of a HEIC where the merger has the extra for it.
            name: of the product; empty where there is none.

        Raises:
            ClassifyError: there is none.
        """
        return self._call(self._stub.Classify, pb.ClassifyRequest(image=image, options=self._options, name=name))

    def classify_batch(self, items: Iterable[Asked]) -> pb.ClassifyBatchResponse:
        """Answers for pictures, in order; at most as many as the server allows.

        Raises:
            ClassifyError: the whole call failed.
        """
        request = pb.ClassifyBatchRequest(items=[_item(*item) for item in items], options=self._options)
        return self._call(self._stub.ClassifyBatch, request)

    def classify_stream(self, items: Iterable[Asked]) -> Iterator[pb.ClassifyResult]:
        """Answers for any number of pictures, in order, as they come.

        ``items`` is read by another thread, no faster than the server takes them. When the server goes away, what it
        has not answered is sent again; ``index`` counts from the first item of all.

        Raises:
            ClassifyError: the server stayed away, or refused the stream.
        """
        source = _Source(items)
        backoffs = iter(BACKOFFS_S)
        index = itertools.count()
        while True:
            try:
                for result in self._stub.ClassifyStream(self._requests(source), metadata=self._metadata):
                    source.answered()
                    backoffs = iter(BACKOFFS_S)
                    result.index = next(index)
                    yield result
                return
            except grpc.RpcError as error:  # noqa: PERF203 - a stream, not a quick loop
                if error.code() != grpc.StatusCode.UNAVAILABLE or (pause_s := next(backoffs, None)) is None:
                    raise self._translated(error) from error
                time.sleep(pause_s)

    def explain(self, image: bytes, options: pb.ExplainOptions | None = None) -> pb.ExplainResponse:
        """Which parts of one picture a label rests on.

        Raises:
            ClassifyError: there is no answer.
        """
        return self._call(self._stub.Explain, pb.ExplainRequest(image=image, options=options))

    def find_similar(self, image: bytes, options: pb.SimilarOptions | None = None) -> pb.FindSimilarResponse:
        """The known products that look most like one picture, nearest first.

        Raises:
            ClassifyError: there is no answer; with the code ``no_index`` the release cannot name any.
        """
        return self._call(self._stub.FindSimilar, pb.FindSimilarRequest(image=image, options=options))

    def taxonomy(self) -> pb.Taxonomy:
        """Every path that an answer can name.

        Raises:
            ClassifyError: no release answers.
        """
        return self._call(self._stub.GetTaxonomy, pb.GetTaxonomyRequest())

    def models(self) -> pb.Models:
        """The release that answers and the state of both models.

        Raises:
            ClassifyError: the merger cannot be reached.
        """
        return self._call(self._stub.GetModels, pb.GetModelsRequest())

    def _requests(self, source: "_Source") -> Iterator[pb.ClassifyStreamRequest]:
        return (pb.ClassifyStreamRequest(item=_item(*item), options=self._options) for item in source.items())

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self._timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._translated(error) from error

    def _translated(self, error: Any) -> ClassifyError:
        details = {key: value for key, value in error.trailing_metadata() or () if key == DETAILS_KEY}
        for packed in status_pb2.Status.FromString(details.get(DETAILS_KEY, b"")).details:
            problem = pb.Problem()
            if packed.Unpack(problem):
                return ClassifyError(problem)
        if sizes := TOO_LARGE.search(error.details() or ""):
            return MessageTooLarge(*map(int, sizes.groups()))
        is_unreachable = error.code() == grpc.StatusCode.UNAVAILABLE
        code = "unreachable" if is_unreachable else error.code().name.lower()
        detail = f"{self._target} answered {error.code().name}: {error.details()}"
        return ClassifyError(pb.Problem(code=code, detail=detail, retry_after_s=1.0 if is_unreachable else None))


class _Source:
    """Items that were sent but not answered, before those that were not sent yet.

    Each stream reads by :meth:`items` of its own. The thread of a broken stream may still be waiting for an item: it
    gets none, or leaves the one it gets to the next stream.
    """

    def __init__(self, items: Iterable[Asked]) -> None:
        self._rest = iter(items)
        self._unanswered: deque[Asked] = deque()
        self._lock = threading.Lock()
        self._stream = 0

    def items(self) -> Iterator[Asked]:
        with self._lock:
            self._stream += 1
            stream, again = self._stream, list(self._unanswered)
        yield from again
        while (item := self._take(stream)) is not None:
            yield item

    def answered(self) -> None:
        self._unanswered.popleft()

    def _take(self, stream: int) -> Asked | None:
        with self._lock:
            if stream != self._stream:
                return None
            item = next(self._rest, None)
            if item is not None:
                self._unanswered.append(item)
            return item


def _item(name: str, image: bytes, product_name: str = "") -> pb.BatchItem:
    return pb.BatchItem(id=as_text(name), image=image, name=product_name)


def _open_channel(target: str, ca: bytes | None) -> grpc.Channel:
    options = _channel_options(target)
    if ca is None:
        return grpc.insecure_channel(target, options=options)
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(ca or None), options=options)


def _channel_options(target: str) -> list[tuple[str, Any]]:
    return [
        # Loopback is no business of a proxy that the environment names.
        ("grpc.enable_http_proxy", int(not is_loopback(target))),
        ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # Else the addresses of mergers that are gone are kept for half a minute.
        ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ]
