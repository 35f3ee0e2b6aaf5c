"""What a connection may send and hold, at either port and in either protocol, is bounded in bytes and in time."""

import asyncio
import contextlib
import json
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import grpc.aio
import httpx
import pytest

from serving.client.client import SERVICE_CONFIG
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.proto.lookbook.v1 import classifier_pb2_grpc
from tests.hardening.promises import Promises
from tests.hardening.serving.budget import http2 as frames
from tests.hardening.serving.budget import payloads
from tests.hardening.serving.budget.http2 import http2
from tests.hardening.serving.budget.loop_probe import Watched, watched_merger
from tests.hardening.serving.budget.payloads import MEGABYTE, RED
from tests.hardening.serving.budget.senders import (
    CHUNKED,
    JPEG,
    PATIENCE_S,
    classify,
    connected,
    grpc_code,
    hung_up_s,
    poured,
    statuses,
    told,
)
from tests.serving.fake_model_server import FakeModelServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRAILER: Final = b"X-A: " + b"a" * 1000 + b"\r\n"
GET: Final = b"GET /livez HTTP/1.1\r\n"
POST: Final = b"POST /v1/classify HTTP/1.1\r\nContent-Type: image/jpeg\r\n"
HEAD: Final = b"Host: localhost\r\n"


def forever(start: bytes, part: bytes, megabytes: int = 100) -> Iterator[bytes]:
    """``start``, then ``part`` again and again, in pieces of a quarter of a megabyte."""
    yield start
    piece = part * (MEGABYTE // 4 // len(part) + 1)
    for _ in range(4 * megabytes):
        yield piece


ENDLESS: Final = {
    "trailers": (GET + CHUNKED + b"0\r\n", TRAILER),
    "trailers, tiny": (GET + CHUNKED + b"0\r\n", b"a:\r\n"),
    "body of a GET": (GET + CHUNKED, b"10000\r\n" + bytes(65_536) + b"\r\n"),
    "chunks of a byte": (POST + CHUNKED, b"1\r\na\r\n"),
    "chunk extensions": (POST + CHUNKED + b"5;", b"a=b;"),
    "header fields": (GET + HEAD, b"a:\r\n"),
    "address": (b"GET /" + b"a" * 100, b"a"),
    "pipelined bodies": (
        POST + HEAD + b"Content-Length: 10\r\n\r\n",
        POST + HEAD + b"Content-Length: 9\r\n\r\n123456789",
    ),
    "upgrades": (b"", GET + HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    "after an upgrade": (GET + HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"\x82\x7f" + bytes(1000)),
    "what is no HTTP": (b"", b"\x16\x03\x01" + bytes(100)),
}


@pytest.mark.parametrize("port", ["public", "admin"])
@pytest.mark.parametrize("kind", ENDLESS)
async def test_endless(promise: Promises, watched: Watched, kind: str, port: str) -> None:
    """Whatever has no end is cut off, at the port of the operators too, before it costs memory or the loop's time."""
    start, part = ENDLESS[kind]
    number = watched.running.http_port if port == "public" else watched.running.admin_port
    with promise(f"connection: endless {kind}, {port} port", "hung up; loop ≤ 50 ms, memory ≤ 512 MB") as row:
        async with connected(watched, number) as (reader, writer):
            reading = asyncio.create_task(hung_up_s(reader))
            sent = await poured(writer, forever(start, part, 160))
            seconds = await reading
        row.seen = f"hung up after {seconds:.1f} s and {sent / 1e6:.1f} MB; {watched.told()}"
        assert seconds < 40
        assert watched.held_up_s() <= promise.hold_up_s and watched.peak_bytes <= promise.most_bytes(300e6), (
            watched.told()
        )
        assert (await classify(watched, RED)).status_code == 200


async def test_slow_body_anywhere(promise: Promises, fake_server: FakeModelServer, tmp_path: Path) -> None:
    """A body that does not come is waited for no longer than its time, also where nobody wants one."""
    with promise("connection: bodies that do not come", "hung up within their time on every route") as row:
        async with watched_merger(tmp_path, fake_server.target, upload_timeout_ms=1_000) as watched:
            seen = []
            for path in ("/livez", "/readyz", "/docs", "/nothing", "/v1/models", "/v1/classify"):
                method = "POST" if path == "/v1/classify" else "GET"
                async with connected(watched) as (reader, writer):
                    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
                    await poured(writer, [head.encode() + b"Content-Length: 1000\r\n\r\nx"])
                    seen.append(await hung_up_s(reader))
        row.seen = f"after {min(seen):.1f} to {max(seen):.1f} s"
        assert max(seen) < 40


@pytest.mark.slow  # it waits for 35 s
async def test_unread_answers(promise: Promises, watched: Watched) -> None:
    """A client that asks and does not read keeps little, and is hung up on."""
    with promise("connection: 50 clients that do not read", "memory as before, hung up within 40 s") as row:
        pairs = [await asyncio.open_connection("127.0.0.1", watched.running.http_port) for _ in range(50)]
        for _, writer in pairs:
            writer.write(BUNDLE * 20)
        await asyncio.sleep(35)
        closed = [await _is_reset(reader) for reader, _ in pairs]
        for _, writer in pairs:
            writer.transport.abort()
        row.seen = f"{sum(closed)} hung up on; {watched.told()}"
        assert (
            all(closed) and watched.peak_bytes <= promise.most_bytes(300e6) and watched.held_up_s() <= promise.hold_up_s
        )


async def _is_reset(reader: asyncio.StreamReader) -> bool:
    """Whether the connection ends once what is in the buffers has been read."""
    try:
        while await asyncio.wait_for(reader.read(MEGABYTE), 2):
            pass
    except ConnectionError:
        return True
    except asyncio.TimeoutError:
        return False
    return True


BUNDLE: Final = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\n" + HEAD + b"\r\n"
CROWDS: Final = {
    "idle": b"",
    "with uploads that do not come": POST + HEAD + b"Content-Length: 1000\r\n\r\nx",
    "that do not read": BUNDLE * 3,
}


@pytest.mark.parametrize("kind", CROWDS)
async def test_many_connections(promise: Promises, fake_server: FakeModelServer, tmp_path: Path, kind: str) -> None:
    """More connections than there may be, idle or busy, keep nobody out: those of whoever has most give way."""
    with promise(f"connection: 300 {kind} of one address, 64 allowed", "20 of 20 × 200 for another") as row:
        async with watched_merger(tmp_path, fake_server.target, max_connections=64) as watched:
            many = [
                await asyncio.open_connection("127.0.0.1", watched.running.http_port, local_addr=("127.0.0.2", 0))
                for _ in range(300)
            ]
            for _, writer in many:
                writer.write(CROWDS[kind])
                writer.transport.pause_reading()
            await asyncio.sleep(0.5)
            seen: Counter[int] = Counter()
            for _ in range(20):  # each by a connection of its own
                async with httpx.AsyncClient(base_url=watched.running.http.base_url, timeout=PATIENCE_S) as client:
                    seen[(await client.post("/v1/classify", content=RED, headers=JPEG)).status_code] += 1
            for _, writer in many:
                writer.transport.abort()
            log = watched.running.log.read_text()
        row.seen = told(seen.elements())
        assert seen == {200: 20} and "Traceback" not in log


async def test_host_steers_no_redirect(promise: Promises, watched: Watched) -> None:
    """No answer leads to a host that the caller named."""
    with promise("request: Host of another", "in no Location and no answer") as row:
        paths = ("/", "/v1/models/", "/livez/", "//evil.example", "/docs/", "/docs/assets", "/v1/classify/", "/readyz/")
        replies = [
            await client.get(path, headers={"host": "evil.example"})
            for path in paths
            for client in (watched.running.http, watched.running.admin)
        ]
        row.seen = told(reply.status_code for reply in replies)
        assert not any("evil.example" in reply.headers.get("location", "") for reply in replies)
        assert not any("evil.example" in reply.text for reply in replies if reply.request.url.path != "//evil.example")


async def test_ranges(promise: Promises, watched: Watched) -> None:
    """A file asked for in a thousand ranges costs no more than the file."""
    with promise("request: 1,000 ranges of a file", "loop ≤ 50 ms, memory ≤ 300 MB") as row:
        ranges = "bytes=" + ",".join(f"{2 * i}-{2 * i}" for i in range(1000))
        replies = await asyncio.gather(
            *(
                watched.running.http.get("/docs/assets/swagger-ui-bundle.js", headers={"range": ranges})
                for _ in range(10)
            )
        )
        row.seen = f"{told(reply.status_code for reply in replies)}; {watched.told()}"
        assert watched.held_up_s() <= promise.hold_up_s and watched.peak_bytes <= promise.most_bytes(300e6)


FLOODS: Final = {
    "pings": frames.frame(frames.PING, 0, 0, bytes(8)),
    "settings": frames.frame(frames.SETTINGS, 0, 0, struct.pack(">HI", 3, 100)),
    "window updates": frames.frame(frames.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_flood_of_frames(promise: Promises, watched: Watched, kind: str) -> None:
    """Floods of control frames cost neither memory nor the loop's time."""
    with promise(f"gRPC: a flood of {kind}", "loop ≤ 50 ms, memory ≤ 300 MB, others answered") as row:
        async with http2(watched) as client:
            sent = await poured(client.writer, forever(b"", FLOODS[kind], 4))
            seen = await statuses(watched, 3)
        row.seen = f"{sent / 1e6:.1f} MB; {told(seen.elements())}; {watched.told()}"
        assert (
            seen == {200: 3}
            and watched.held_up_s() <= promise.hold_up_s
            and watched.peak_bytes <= promise.most_bytes(300e6)
        )


async def test_rapid_reset(promise: Promises, watched: Watched) -> None:
    """Calls that are opened and reset at once, again and again, are cheap (CVE-2023-44487)."""
    with promise("gRPC: 5,000 calls opened and reset", "loop ≤ 50 ms, memory ≤ 300 MB, others answered") as row:
        async with http2(watched) as client:
            head = frames.head("Classify")
            parts = (
                frames.frame(frames.HEADERS, frames.END_HEADERS, stream, head)
                + frames.frame(frames.RST_STREAM, 0, stream, struct.pack(">I", 8))
                for stream in range(1, 10_001, 2)
            )
            await poured(client.writer, parts)
            seen = await statuses(watched, 3)
        row.seen = f"{told(seen.elements())}; {watched.told()}"
        assert (
            seen == {200: 3}
            and watched.held_up_s() <= promise.hold_up_s
            and watched.peak_bytes <= promise.most_bytes(300e6)
        )


STALLED: Final = {
    "send nothing": b"",
    "send the beginning of a message": b"\0" + struct.pack(">I", 23 * MEGABYTE) + bytes(600),
}


@pytest.mark.parametrize("kind", STALLED)
async def test_stalled_calls(promise: Promises, watched: Watched, kind: str) -> None:
    """Calls that are opened and get no further give way to those that do, also where one address has them all."""
    with promise(f"gRPC: 20,000 calls that {kind}", "a picture is answered soon; ≤ 300 MB, loop ≤ 100 ms") as row:
        async with contextlib.AsyncExitStack() as stack:
            calls = b"".join(
                frames.frame(frames.HEADERS, frames.END_HEADERS, stream, frames.head("Classify"))
                + (frames.frame(frames.DATA, 0, stream, STALLED[kind]) if STALLED[kind] else b"")
                for stream in range(1, 200, 2)
            )
            for _ in range(200):
                (await stack.enter_async_context(http2(watched))).writer.write(calls)
            seen = await statuses(watched, 3)
            options = [("grpc.service_config", json.dumps(SERVICE_CONFIG))]  # as our client has it
            channel = await stack.enter_async_context(
                grpc.aio.insecure_channel(watched.running.grpc_target, options=options)
            )
            tries = await _tries_until_answered(classifier_pb2_grpc.ClassifierStub(channel))
        row.seen = f"{told(seen.elements())}; answered at try {tries}; {watched.told()}"
        assert seen == {200: 3} and watched.peak_bytes <= promise.most_bytes(300e6)
        # Thousands of calls come in the same rounds of the loop.
        assert watched.held_up_s() <= 2 * promise.hold_up_s, watched.told()


async def _tries_until_answered(stub: classifier_pb2_grpc.ClassifierStub) -> int:
    """gRPC itself refuses some calls while a thousand wait to be looked at, our client's retries included."""
    for tries in range(1, 10):
        call = stub.Classify(pb.ClassifyRequest(image=RED), timeout=PATIENCE_S)
        if await call.code() == grpc.StatusCode.OK:
            return tries
        assert await call.code() == grpc.StatusCode.CANCELLED
        await asyncio.sleep(1)
    raise AssertionError("not answered")


async def test_key_before_message(promise: Promises, fake_server: FakeModelServer, tmp_path: Path) -> None:
    """Whoever has no key is refused on the head of the call: its message is not received at all."""
    (tmp_path / "keys").write_text("me key-of-somebody-1234\n")
    with promise("gRPC: 6 messages of 15 MB without a key", "UNAUTHENTICATED before they are sent") as row:
        async with watched_merger(tmp_path, fake_server.target, api_keys_file=tmp_path / "keys") as watched:
            message = payloads.empty_items_message(15 * MEGABYTE)
            codes = await asyncio.gather(*(grpc_code(watched, "ClassifyBatch", message) for _ in range(6)))
            async with http2(watched) as client:
                client.writer.write(frames.frame(frames.HEADERS, frames.END_HEADERS, 1, frames.head("ClassifyBatch")))
                await asyncio.wait_for(client.ended(), 10)  # nothing of a message has been sent
        row.seen = f"{told(codes)}; the 7th without a byte of message; {watched.told()}"
        assert set(codes) == {"UNAUTHENTICATED"}
        assert watched.held_up_s() <= promise.hold_up_s and watched.peak_bytes <= promise.most_bytes(300e6)
