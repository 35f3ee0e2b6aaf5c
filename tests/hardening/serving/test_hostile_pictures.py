"""Hostile files and requests: a clear 4xx, bounded memory, no crash, and others are answered meanwhile."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.hardening.promises import Promises
from tests.hardening.serving.asking import JPEG, RED, ask
from tests.hardening.serving.hostile import FILES
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
MOST_GROWTH = 100e6
CHUNK = 65_536


def rss(running: MergerProcess) -> float:
    return float(psutil.Process(running.process.pid).memory_info().rss)


@contextlib.asynccontextmanager
async def unharmed(running: MergerProcess) -> AsyncIterator[None]:
    """Whatever happens inside, the process answers afterwards and has not grown much."""
    before = rss(running)
    yield
    assert (await ask(running)).status == 200
    assert rss(running) - before < MOST_GROWTH


@pytest.mark.parametrize("kind", FILES)
async def test_hostile_file(promise: Promises, running: MergerProcess, fake: FakeModelServer, kind: str) -> None:
    """Each file gets the status that says the truth about it, and nothing of it comes back."""
    content, statuses = FILES[kind]
    with promise(f"file: {kind}", f"{sorted(statuses)}, nothing of it in the answer, memory as before") as row:
        async with unharmed(running):
            reply = await running.http.post("/v1/classify", content=content, headers=JPEG)
            row.seen = f"{reply.status_code} {reply.json().get('code', '')} for {len(content):,} bytes"
        assert reply.status_code in statuses
        assert "<script>" not in reply.text and reply.headers["x-content-type-options"] == "nosniff"


async def test_wrong_content_types(promise: Promises, running: MergerProcess, fake: FakeModelServer) -> None:
    """Its own bytes decide what a body is, whatever it is said to be; a form without its boundary is none."""
    wanted = {
        "text/html": 200,
        "application/json": 200,
        "*/*": 200,
        "image/svg+xml": 200,
        "": 200,
        "multipart/form-data": 400,
        "image/png": 200,
    }
    with promise("request: wrong content types", json.dumps(wanted)) as row:
        seen = {}
        for kind in wanted:
            reply = await running.http.post("/v1/classify", content=RED, headers={"content-type": kind})
            seen[kind] = reply.status_code
        row.seen = json.dumps(seen)
        assert seen == wanted


async def test_names_are_not_reflected(promise: Promises, running: MergerProcess, fake: FakeModelServer) -> None:
    """Names that a page or a terminal might run come back as JSON strings at most, and in the log as one line."""
    name = '<img src=x onerror=alert(1)>\u202e\x1b[31m\n{"level": "ERROR"}'
    with promise("request: hostile names", "one result, one line a record in the log, JSON alone") as row:
        reply = await running.http.post(
            "/v1/classify:batch", files=[("images", ("x", RED, "image/jpeg"))], params={"top_k": name}
        )
        assert reply.status_code == 400 and reply.headers["content-type"] == "application/problem+json"
        items = {"items": [{"id": name, "image": ""}]}
        result = (await running.http.post("/v1/classify:batch", json=items)).json()["results"][0]
        assert result["id"] == name and result["error"]["code"] == "image_missing"
        lines = running.log.read_text().splitlines()
        assert all(json.loads(line) for line in lines) and "\x1b" not in running.log.read_text()
        row.seen = f"400 and a result with the id as it was; {len(lines)} lines of log, all JSON"


async def raw(running: MergerProcess, chunks: Any, patience_s: float = 20.0) -> bytes:
    """What comes back for bytes sent as they are; sending ends when the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.http_port)
    answer = b""

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()

    sending = asyncio.create_task(send())
    try:
        with contextlib.suppress(ConnectionError):
            # Piece by piece: a reset at the end throws away what one long read has gathered.
            while piece := await asyncio.wait_for(reader.read(CHUNK), patience_s):
                answer += piece
        return answer
    finally:
        sending.cancel()
        writer.close()


HEAD = b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
MEGABYTE = bytes(2**20)


@pytest.mark.parametrize("kind", ["1 GB body", "chunked without end"])
async def test_endless_body(promise: Promises, running: MergerProcess, fake: FakeModelServer, kind: str) -> None:
    """A body far over the limit is refused without being kept, and the connection is closed."""
    is_chunked = kind != "1 GB body"
    head = HEAD + (b"Transfer-Encoding: chunked\r\n\r\n" if is_chunked else b"Content-Length: 1073741824\r\n\r\n")
    chunk = b"100000\r\n" + MEGABYTE + b"\r\n" if is_chunked else MEGABYTE
    with promise(f"request: {kind}", "413, then the connection is closed; memory as before") as row:
        async with unharmed(running):
            started = time.monotonic()
            answer = await raw(running, [head, *([chunk] * 1024)])
            row.seen = f"{answer[9:12].decode()} after {time.monotonic() - started:.1f} s"
        assert answer.startswith(b"HTTP/1.1 413")


async def test_ten_thousand_parts(promise: Promises, running: MergerProcess, fake: FakeModelServer) -> None:
    """A form of 10,000 parts is refused as a whole, at once."""
    with promise("request: 10,000 multipart parts", "400, memory as before") as row:
        parts = [("images", (f"{i}.jpg", b"x", "image/jpeg")) for i in range(10_000)]
        request = running.http.build_request("POST", "/v1/classify:batch", files=parts)
        head = b"".join(b"%s: %s\r\n" % header for header in request.headers.raw)
        async with unharmed(running):
            started = time.monotonic()
            # Not by httpx: the answer comes before all is sent, and the reset behind it may take it away again.
            answer = await raw(running, [b"POST /v1/classify:batch HTTP/1.1\r\n" + head + b"\r\n", request.read()])
            seconds = time.monotonic() - started
        row.seen = f"{answer[9:12].decode()} after {seconds:.1f} s"
        assert answer.startswith(b"HTTP/1.1 400") and b'"code":"invalid_request"' in answer


async def test_endless_head(promise: Promises, running: MergerProcess, fake: FakeModelServer) -> None:
    """A head without end is cut off before it fills the memory."""
    with promise("request: a head without end", "hung up within 15 s, memory as before") as row:
        async with unharmed(running):
            started = time.monotonic()
            answer = await raw(running, [HEAD, *([b"X-Filler: " + bytes([97]) * 10_000 + b"\r\n"] * 20_000)])
            seconds = time.monotonic() - started
        row.seen = f"{len(answer)} bytes of answer, closed after {seconds:.1f} s"
        assert not answer.startswith(b"HTTP/1.1 200") and seconds < 15


async def test_slow_loris(promise: Promises, fake: FakeModelServer, tmp_path: Path) -> None:
    """300 callers who never finish a head keep nobody from an answer, and are hung up on."""
    with promise("request: slow loris, 300 connections", "others answered within 3 s; all 300 gone in 30 s") as row:
        async with merger(tmp_path, fake.target) as running:
            await running.ready()
            idle = psutil.Process(running.process.pid).num_fds()
            loris = [await asyncio.open_connection("127.0.0.1", running.http_port) for _ in range(300)]
            for _, writer in loris:
                writer.write(HEAD)
            asked = [await ask(running) for _ in range(10)]
            assert {one.status for one in asked} == {200} and max(one.seconds for one in asked) < 3
            started = time.monotonic()
            await until(lambda: psutil.Process(running.process.pid).num_fds() <= idle + 5, 30)
            row.seen = (
                f"answers in ≤ {max(one.seconds for one in asked):.2f} s; {time.monotonic() - started:.0f} s to be gone"
            )
            for _, writer in loris:
                writer.close()


async def test_a_kept_connection_may_pause(running: MergerProcess, fake: FakeModelServer) -> None:
    """The bound on heads does not cut a caller off who sends the next request on the same connection."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.http_port}") as client:
        for _ in range(3):
            assert (await client.post("/v1/classify", content=RED, headers=JPEG)).status_code == 200
            await asyncio.sleep(1)
