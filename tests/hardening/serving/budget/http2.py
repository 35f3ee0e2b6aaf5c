"""Just enough of HTTP/2 to be a bad gRPC client: messages that never end, floods of small frames."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from typing import Final

from tests.hardening.serving.budget.loop_probe import Watched

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
ACK, END_HEADERS = 1, 4
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW: Final = 4
LARGEST_FRAME: Final = 16_384


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame as it goes over the wire."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def head(method: str) -> bytes:
    """The head of a gRPC call, in HPACK without any compression; ``method`` of the classifier, or with its service."""
    path = method if method.startswith("/") else f"/lookbook.v1.Classifier/{method}"
    fields = {
        ":method": "POST", ":scheme": "http", ":path": path, ":authority": "x",
        "content-type": "application/grpc", "te": "trailers",
    }  # fmt: skip
    return b"".join(literal(*field) for field in fields.items())


def literal(name: str, value: str) -> bytes:
    """A header field, in HPACK without any compression."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call(stream: int, method: str, message: bytes) -> bytes:
    """A whole call; ``message`` with its gRPC prefix."""
    return frame(HEADERS, END_HEADERS, stream, head(method)) + frame(DATA, 1, stream, message)


class Http2:
    """A connection with one call."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._connection_window = self._stream_window = self._initial = 65_535
        self._opened = asyncio.Event()
        self.has_ended = False

    async def follow(self) -> None:
        """Reads what the server sends, until it hangs up."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                first = await self._reader.readexactly(9)
                payload = await self._reader.readexactly(int.from_bytes(first[:3], "big"))
                self._heed(first[3], first[4], int.from_bytes(first[5:], "big"), payload)
        self.has_ended = True
        self._opened.set()

    def _heed(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == INITIAL_WINDOW:
                    self._stream_window += value - self._initial
                    self._initial = value
            self.writer.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.writer.write(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream:
            self._stream_window += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE:
            self._connection_window += int.from_bytes(payload, "big")
        elif kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and flags & 1):
            self.has_ended = True
        self._opened.set()

    async def ended(self) -> None:
        """Waits until the call has ended."""
        while not self.has_ended:
            self._opened.clear()
            await self._opened.wait()

    async def send(self, data: bytes) -> None:
        """Sends data of the call as fast as the server lets it; returns early when the call has ended."""
        while data and not self.has_ended:
            room = min(self._connection_window, self._stream_window, LARGEST_FRAME, len(data))
            if room <= 0:
                self._opened.clear()
                await self._opened.wait()
                continue
            self.writer.write(frame(DATA, 0, 1, data[:room]))
            data = data[room:]
            self._connection_window -= room
            self._stream_window -= room
            await self.writer.drain()


@contextlib.asynccontextmanager
async def http2(watched: Watched) -> AsyncIterator[Http2]:
    """A connection to the merger's gRPC port, with its settings sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", watched.running.grpc_port)
    client = Http2(reader, writer)
    writer.write(PREFACE + frame(SETTINGS, 0, 0))
    following = asyncio.create_task(client.follow())
    try:
        yield client
    finally:
        following.cancel()
        writer.transport.abort()


async def hold_message(
    watched: Watched, size: int, done: asyncio.Event, method: str = "ClassifyBatch", after_s: float = 0.0
) -> str:
    """Opens a call, sends all but the last byte of a message of so many bytes after a while, then waits; gives how it
    came out."""
    async with http2(watched) as client:
        client.writer.write(frame(HEADERS, END_HEADERS, 1, head(method)))
        await asyncio.sleep(after_s)
        with contextlib.suppress(ConnectionError):
            await client.send(b"\x00" + struct.pack(">I", size))
            for _ in range(size // 2**20):
                await client.send(bytes(2**20 - 1))
        while not (client.has_ended or done.is_set()):
            await asyncio.sleep(0.05)
        return "ended" if client.has_ended else "held"
