"""Ways to be a nuisance to a merger, each bounded, and what came of it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import grpc.aio
import httpx

from tests.hardening.serving.budget.loop_probe import Watched
from tests.hardening.serving.budget.payloads import MEGABYTE, RED

JPEG: Final = {"content-type": "image/jpeg"}
PATIENCE_S: Final = 60.0
CHUNKED: Final = b"Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


async def classify(watched: Watched, content: bytes, **query: Any) -> httpx.Response:
    """One picture by REST."""
    return await watched.running.http.post(
        "/v1/classify", content=content, headers=JPEG, params=query, timeout=PATIENCE_S
    )


async def batch(watched: Watched, content: bytes) -> httpx.Response:
    """A batch as JSON."""
    return await watched.running.http.post(
        "/v1/classify:batch", content=content, headers={"content-type": "application/json"}, timeout=PATIENCE_S
    )


@contextlib.asynccontextmanager
async def connected(
    watched: Watched, port: int = 0, source: str = "127.0.0.1"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that is as good as gone at the end."""
    target = ("127.0.0.1", port or watched.running.http_port)
    reader, writer = await asyncio.open_connection(*target, local_addr=(source, 0))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def poured(writer: asyncio.StreamWriter, parts: Iterable[bytes]) -> int:
    """Sends until all is sent or the other end hangs up; gives the bytes sent."""
    sent = 0
    with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
        for part in parts:
            writer.write(part)
            await asyncio.wait_for(writer.drain(), PATIENCE_S)
            sent += len(part)
    return sent


async def hung_up_s(reader: asyncio.StreamReader) -> float:
    """Seconds until the other end hangs up."""
    started = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(MEGABYTE), PATIENCE_S):
            pass
    return time.monotonic() - started


async def held_upload(watched: Watched, size: int, done: asyncio.Event, source: str = "127.0.0.1") -> str:
    """Sends all but the last bytes of a body and waits; gives the status line, or how it was ended."""
    head = b"POST /v1/classify:batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    start = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n'
    async with connected(watched, source=source) as (reader, writer):
        length = f"Content-Length: {size + len(start) + 1000}\r\n\r\n".encode()
        await poured(writer, [head + length + start, *([bytes(MEGABYTE)] * (size // MEGABYTE))])
        reading = asyncio.create_task(reader.readline())
        await asyncio.wait({reading, asyncio.create_task(done.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            reading.cancel()
            return "held"
        return "closed" if reading.exception() or not reading.result() else reading.result().decode()[9:12]


async def grpc_code(watched: Watched, method: str, message: bytes, **options: Any) -> str:
    """Sends bytes as a message; gives the name of the status."""
    call = watched.running.channel.unary_unary(f"/lookbook.v1.Classifier/{method}")
    try:
        await call(message, timeout=PATIENCE_S, **options)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


def told(outcomes: Iterable[Any]) -> str:
    """Outcomes with their counts."""
    return ", ".join(f"{count}× {outcome}" for outcome, count in Counter(outcomes).most_common())


async def statuses(watched: Watched, count: int) -> Counter[int]:
    """What so many single pictures come to, one after the other, by a caller who is polite."""
    replies = [await classify(watched, RED) for _ in range(count)]
    return Counter(reply.status_code for reply in replies)
