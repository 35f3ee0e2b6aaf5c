"""A TCP proxy between the merger and its model server that does what networks do on bad days."""

import asyncio
import contextlib
import os
import socket
import struct
from enum import Enum
from typing import Final

CHUNK: Final = 65_536
LATENCY_S: Final = 0.1
TRICKLE_S: Final = 0.05


class Fault(Enum):
    """What happens to every connection, those that are open included."""

    NONE = "none"
    LATENCY = "latency"
    """Each way takes so much longer."""
    TRICKLE = "trickle"
    """Replies come byte by byte."""
    RESET = "reset"
    """Connections are cut by RST as soon as something is sent."""
    BLACK_HOLE = "black hole"
    """Nothing comes through any more, and nobody is told."""
    HALF_OPEN = "half-open"
    """The model server's side has gone while ours stays open."""
    GARBAGE = "garbage"
    """Replies are noise."""


class FaultProxy:
    """Forwards to a port of loopback."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self._fault = Fault.NONE
        self.port = 0

    @property
    def target(self) -> str:
        """For a client."""
        return f"127.0.0.1:{self.port}"

    def set(self, fault: Fault) -> None:
        """From now on; NONE also hangs up on what a fault has spoiled, as a network's return does."""
        was, self._fault = self._fault, fault
        if fault is Fault.NONE and was is not Fault.NONE:
            for pipe in self._pipes:
                pipe.cancel()

    async def __aenter__(self) -> "FaultProxy":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _reset(writer)
            return
        pipes = [
            asyncio.create_task(self._pump(reader, there_writer, writer, is_reply=False)),
            asyncio.create_task(self._pump(there_reader, writer, writer, is_reply=True)),
        ]
        self._pipes.update(pipes)
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        for pipe in pipes:
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        self._pipes.difference_update(pipes)
        for end in (writer, there_writer):
            end.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ours: asyncio.StreamWriter,
        *,
        is_reply: bool,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(CHUNK):
                await self._forward(chunk, writer, ours, is_reply)

    async def _forward(
        self, chunk: bytes, writer: asyncio.StreamWriter, ours: asyncio.StreamWriter, is_reply: bool
    ) -> None:
        if self._fault is Fault.RESET:
            _reset(ours)
            raise ConnectionResetError
        if self._fault in (Fault.BLACK_HOLE, Fault.HALF_OPEN):
            if self._fault is Fault.HALF_OPEN and not is_reply:
                writer.close()
            await asyncio.Event().wait()
        if self._fault is Fault.LATENCY:
            await asyncio.sleep(LATENCY_S)
        if self._fault is Fault.GARBAGE and is_reply:
            chunk = os.urandom(len(chunk))
        step = 1 if self._fault is Fault.TRICKLE and is_reply else len(chunk)
        for start in range(0, len(chunk), step):
            writer.write(chunk[start : start + step])
            await writer.drain()
            if step < len(chunk):
                await asyncio.sleep(TRICKLE_S)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST: lingering for no time throws away what was not sent."""
    sock: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
