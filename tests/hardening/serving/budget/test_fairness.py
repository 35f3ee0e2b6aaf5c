"""Whoever sends much waits for itself: a polite caller is answered beside it, with all settings as they come."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

import grpc.aio
import pytest

from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests.hardening.promises import Promises
from tests.hardening.serving.asking import metric
from tests.hardening.serving.budget.http2 import hold_message
from tests.hardening.serving.budget.loop_probe import Watched, watched_merger
from tests.hardening.serving.budget.payloads import MEGABYTE, RED
from tests.hardening.serving.budget.senders import connected, held_upload, poured, statuses, told
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL_S: Final = 0.1
"""Time of a model call: callers with batches keep the merger full."""
KEYS: Final = {f"caller-{i}": f"key-of-caller-{i:04d}" for i in range(9)}


def keys_file(folder: Path) -> Path:
    """Nine callers with a key each."""
    file = folder / "keys"
    file.write_text("".join(f"{name} {key}\n" for name, key in KEYS.items()))
    return file


async def _send_batches(watched: Watched, key: str) -> None:
    files = [("images", (f"{i}.jpg", RED)) for i in range(64)]
    while True:
        await watched.running.http.post("/v1/classify:batch", files=files, headers={"x-api-key": key}, timeout=60)


@pytest.mark.parametrize("who", ["a key of its own", "the same address and no key"])
async def test_polite_caller(promise: Promises, fake_server: FakeModelServer, tmp_path: Path, who: str) -> None:
    """Beside eight callers with batches of 64, one that asks for a picture at a time is answered each time."""
    keys = list(KEYS.values())
    settings = {"api_keys_file": keys_file(tmp_path)} if who == "a key of its own" else {}
    with promise(f"fairness: 8 callers with batches of 64, one polite with {who}", "20 of 20 × 200") as row:
        async with watched_merger(tmp_path, fake_server.target, **settings) as watched:
            for model in fake_server.models.values():
                model.delay_s = MODEL_S
            senders = [asyncio.create_task(_send_batches(watched, key)) for key in keys[1:]]
            try:
                await until(lambda: _is_full(watched))
                watched.running.http.headers["x-api-key"] = keys[0]
                seen = await statuses(watched, 20)
            finally:
                for sender in senders:
                    sender.cancel()
                await asyncio.gather(*senders, return_exceptions=True)
                fake_server.reset()
            row.seen = told(seen.elements())
            assert seen == {200: 20}


async def _is_full(watched: Watched) -> bool:
    return await metric(watched.running, "lookbook_images_queued") > 16


async def test_held_uploads(promise: Promises, watched: Watched) -> None:
    """Uploads that stop before their end are held within one budget; the oldest of whoever holds most go first."""
    with promise("budget: 20 held uploads of 23 MB", "memory ≤ 512 MB; 20 of 20 polite × 200") as row:
        done = asyncio.Event()
        uploads = [asyncio.create_task(held_upload(watched, 23 * MEGABYTE, done)) for _ in range(20)]
        await asyncio.wait(uploads, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        seen = await statuses(watched, 20)
        done.set()
        outcomes = await asyncio.gather(*uploads)
        row.seen = f"polite {told(seen.elements())}; uploads {told(outcomes)}; {watched.told()}"
        assert seen == {200: 20}
        assert watched.peak_bytes <= promise.most_bytes(512e6) and watched.held_up_s() <= promise.hold_up_s
        assert outcomes.count("held") <= 2


async def test_held_messages(promise: Promises, watched: Watched) -> None:
    """gRPC's core holds a message until it is whole; those that do not end are ended when memory grows."""
    with promise("budget: 20 held gRPC messages of 23 MB", "memory ≤ 512 MB; 20 of 20 polite × 200") as row:
        done = asyncio.Event()
        messages = [asyncio.create_task(hold_message(watched, 23 * MEGABYTE, done)) for _ in range(20)]
        await asyncio.wait(messages, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        seen = await statuses(watched, 20)
        done.set()
        outcomes = await asyncio.gather(*messages)
        row.seen = f"polite {told(seen.elements())}; messages {told(outcomes)}; {watched.told()}"
        assert seen == {200: 20} and "ended" in outcomes
        assert watched.peak_bytes <= promise.most_bytes(512e6) and watched.held_up_s() <= promise.hold_up_s


async def test_idle_streams(promise: Promises, fake_server: FakeModelServer, tmp_path: Path) -> None:
    """Streams on which nothing happens give way to new ones, and end by themselves."""
    with promise("streams: 32 empty ones held", "the 33rd is answered; all end within their idle time") as row:
        async with watched_merger(tmp_path, fake_server.target, stream_idle_timeout_ms=4_000) as watched:
            streams = [watched.running.stub.ClassifyStream() for _ in range(32)]
            for stream in streams:
                with contextlib.suppress(grpc.aio.AioRpcError):  # of one caller's, some are refused at once
                    await stream.wait_for_connection()
            await asyncio.sleep(1.5)  # a stream is idle after a second
            stream = watched.running.stub.ClassifyStream()
            await stream.write(pb.ClassifyStreamRequest(item=pb.BatchItem(id="mine", image=RED)))
            answer = await asyncio.wait_for(stream.read(), 10)
            await stream.done_writing()
            codes = [(await asyncio.wait_for(one.code(), 20)).name for one in streams]
            row.seen = f"answered; the others: {told(codes)}"
        assert answer.id == "mine" and answer.answer.release == "1"
        assert set(codes) <= {"RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}


async def test_aborted_uploads(promise: Promises, fake_server: FakeModelServer, tmp_path: Path) -> None:
    """A client that hangs up in the middle of its body is counted as that, and costs a line of debugging at most."""
    head = b"POST /v1/classify HTTP/1.1\r\nHost: [::1]\r\nContent-Type: image/jpeg\r\nContent-Length: 900000\r\n\r\n"
    with promise("request: 70 uploads that are broken off", "70 counted as aborted, none as ok, no traceback") as row:
        async with watched_merger(tmp_path, fake_server.target) as watched:
            for _ in range(70):
                async with connected(watched) as (_, writer):
                    await poured(writer, [head, bytes(1000)])
            name = 'lookbook_calls_total{code="aborted"'
            page = await until(lambda: _page_with(watched, f'{name},method="classify",transport="http"}} 70.0'))
            log = watched.running.log.read_text()
        row.seen = f"70 aborted; {log.count('Traceback')} tracebacks in {len(log.splitlines())} lines"
        assert 'code="ok",method="classify"' not in page
        assert "Traceback" not in log and "ERROR" not in log and "aborted" not in log


async def _page_with(watched: Watched, words: str) -> str:
    page = (await watched.running.admin.get("/metrics")).text
    return page if words in page else ""
