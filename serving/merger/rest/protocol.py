"""uvicorn's HTTP/1.1 with bounds on all that a request can make it hold or wait for, which uvicorn lacks.

Heads, bodies and trailers are bounded in bytes, in fields and in time, whatever the address that is asked: whoever
sends byte by byte, or without end, would else hold a connection and memory for nothing. So would whoever does not read
answers. When there are too many connections, an idle one of the address that has most gives way. With TLS they count
before anything is encrypted.
"""

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from typing import Any, Final, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import get_remote_addr

from serving.merger.admission.api_keys import sender
from serving.merger.core.networks import unmapped

HEAD_S: Final = 10.0
"""From the connection, or a request's first byte, to the end of its head."""
HANDSHAKE_S: Final = 10.0
"""From the connection to the end of what TLS has to say first."""
MOST_HEAD_BYTES: Final = 64 * 2**10
MOST_FIELDS: Final = 100
"""Header fields, and trailer fields, of a request."""
MOST_URL_BYTES: Final = 8 * 2**10

UNREAD_S: Final = 5.0
UNREAD_BYTES: Final = 64 * 2**10
"""What may still come of a request that has been answered without it."""

LINGER_FACTOR: Final = 4
"""So many times the largest body may come in all: refused ones are read on for a while, and chunks have frames."""
CHUNK_BYTES: Final = 16
FREE_CHUNKS: Final = 1_000
"""Chunks must have so many bytes on average, the first thousand apart."""

MOST_FRAME_BYTES: Final = 256 * 2**10
"""What chunks may add to a body beyond its own size: extensions are read, and mean nothing here."""

ANSWER_S: Final = 30.0
"""How long a client may leave what was sent to it unread."""


class Bounds(NamedTuple):
    """What differs between ports: the largest body in bytes, the time for it in seconds, and most connections."""

    body_bytes: int
    body_s: float
    connections: int


def bounded(bounds: Bounds, context: ssl.SSLContext | None) -> Any:
    """What makes the protocol of a connection, as uvicorn wants it; with a context TLS comes first."""
    http = type("BoundedHttp", (_BoundedHttp,), {"bounds": bounds})
    return http if context is None else lambda **given: _Handshake(http(**given), context)


class _TooMuch(Exception):
    """Ends the parsing of what came, and with it the connection."""


class _Counted:
    """A connection among those of its port."""

    bounds: Bounds
    client: tuple[str, int] | None = None
    connections: set[Any]
    is_idle: Any = True
    _is_whole = True
    _quiet_since = 0.0

    @property
    def sender(self) -> str:
        """Whose connection it is."""
        return sender(self.client[0]) if self.client else ""

    def _count(self) -> None:
        """Begins to count; where there are too many, one goes."""
        self._quiet_since = time.monotonic()
        self.connections.add(self)
        if len(self.connections) > self.bounds.connections:
            _make_room(self.connections)

    def _abort(self) -> None:
        raise NotImplementedError


def _make_room(connections: set[Any]) -> None:
    """Hangs up on one of whoever has most: an idle one, else one whose request is not whole, the oldest first."""
    counts = Counter(one.sender for one in connections)
    most = max(counts.values())
    greedy = [one for one in connections if counts[one.sender] == most]
    victim = min(greedy, key=lambda one: (not one.is_idle, one._is_whole, one._quiet_since))
    connections.discard(victim)  # at once: until its end is told, all that come meanwhile would choose it again
    victim._abort()


class _Handshake(_Counted, asyncio.Protocol):
    """A connection until it is encrypted."""

    def __init__(self, http: "_BoundedHttp", context: ssl.SSLContext) -> None:
        self.bounds, self.connections = http.bounds, http.connections
        self._http = http
        self._context = context

    def connection_made(self, transport: Any) -> None:
        """Takes the connection out of the loop's hands, which would read on: TLS needs all that comes."""
        self.client = get_remote_addr(transport)
        self._socket = transport.get_extra_info("socket").dup()
        transport.abort()
        self._http.handshake = self
        self._task = self._http.loop.create_task(self._encrypt())
        self._task.add_done_callback(self._end)
        self._count()

    def shutdown(self) -> None:
        """The merger ends."""
        self._abort()

    def _abort(self) -> None:
        self._task.cancel()

    async def _encrypt(self) -> None:
        with contextlib.suppress(OSError):  # no TLS, or none in time
            await self._http.loop.connect_accepted_socket(
                lambda: self._http, self._socket, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S
            )

    def _end(self, _: "asyncio.Task[None]") -> None:
        self.connections.discard(self)
        if self._http.transport is None:
            self._socket.close()


class _BoundedHttp(_Counted, HttpToolsProtocol):
    handshake: _Handshake | None = None
    _timer: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None
    _is_in_head = True
    _came = _may_come = _last = 0
    _fields = _chunks = _body_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Expects the first head."""
        super().connection_made(transport)
        self.connections.discard(self.handshake)
        if self.client:
            self.client = unmapped(self.client[0]), self.client[1]  # proxies are trusted by it
        self._expect_head()
        self._count()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expects nothing more."""
        self._stop(self._timer)
        self._stop(self._writing)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what comes of a request, whatever part it is of."""
        self._last = len(data)
        self._came += self._last
        super().data_received(data)
        is_too_long = self._came > self._may_come or (
            not self._is_in_head and self._came > 2 * self._body_bytes + MOST_FRAME_BYTES
        )
        if is_too_long and (self._is_in_head or not self._is_whole):
            self._hang_up()

    def send_400_response(self, msg: str) -> None:
        """Says so, unless this request has its answer already."""
        if self.cycle is not None and self.cycle.response_started:
            self._hang_up()
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """A head begins."""
        if not self._is_in_head:
            self._expect_head()
        self._is_whole = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Counts it."""
        super().on_url(url)
        if len(self.url) > MOST_URL_BYTES:
            raise _TooMuch

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or a trailer: those are counted and forgotten."""
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise _TooMuch
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A head has ended, and a body may begin."""
        self._is_in_head = False
        self._fields = self._chunks = self._body_bytes = 0
        self._came, self._may_come = self._last, self._last + LINGER_FACTOR * self.bounds.body_bytes + MOST_HEAD_BYTES
        self._wait(self.bounds.body_s)
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """A chunk begins."""
        self._chunks += 1
        if self._chunks > FREE_CHUNKS and self._came < CHUNK_BYTES * self._chunks:
            raise _TooMuch

    def on_body(self, body: bytes) -> None:
        """Part of a body; one that comes before the request ahead of it is answered would only be stored."""
        self._body_bytes += len(body)
        if self.pipeline:
            raise _TooMuch
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._is_whole = True
        self._stop(self._timer)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is out; of its request only a little may still come."""
        self._quiet_since = time.monotonic()
        if not self._is_whole and not self._is_in_head and self.cycle.response_complete:
            self._may_come = min(self._may_come, self._came + UNREAD_BYTES)
            self._wait(UNREAD_S)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._stop(self._writing)
        self._writing = self.loop.call_later(ANSWER_S, self._abort)

    def resume_writing(self) -> None:
        """The client reads on."""
        super().resume_writing()
        self._stop(self._writing)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for anything that goes on here."""
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        self._is_in_head = True
        self._fields = 0
        self._came, self._may_come = 0, MOST_HEAD_BYTES
        self._wait(HEAD_S)

    def _wait(self, seconds: float) -> None:
        self._stop(self._timer)
        self._timer = self.loop.call_later(seconds, self._hang_up)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()

    def _hang_up(self) -> None:
        """Ends the connection: in order if an answer has gone out, else at once."""
        self._stop(self._timer)
        if self.is_idle:
            self.transport.close()
        else:
            self._abort()

    def _abort(self) -> None:
        """Ends the connection at once. Until the loop tells, an answer under way would be written to what is closed."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.transport.abort()
