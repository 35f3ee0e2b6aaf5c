"""What gRPC's port costs whoever calls it without a key: health and reflection too, and answers that nobody reads."""

import asyncio
import contextlib
import struct
from pathlib import Path
from typing import Final

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests.hardening.promises import Promises
from tests.hardening.serving.budget import http2 as frames
from tests.hardening.serving.budget import payloads
from tests.hardening.serving.budget.http2 import hold_message, http2
from tests.hardening.serving.budget.loop_probe import Watched, watched_merger
from tests.hardening.serving.budget.payloads import MEGABYTE, RED
from tests.hardening.serving.budget.senders import PATIENCE_S, classify, grpc_code, poured, statuses, told
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST_BYTES: Final = 512e6
COUNT: Final = 20
NAME: Final = "a" * (23 * MEGABYTE)
CHECK: Final = "/grpc.health.v1.Health/Check"
WATCH: Final = "/grpc.health.v1.Health/Watch"
REFLECT: Final = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
CLASSIFY: Final = "/lookbook.v1.Classifier/Classify"
STREAM: Final = "/lookbook.v1.Classifier/ClassifyStream"

LARGE: Final = {
    "health": (CHECK, lambda: health_pb2.HealthCheckRequest(service=NAME).SerializeToString()),
    "health watch": (WATCH, lambda: health_pb2.HealthCheckRequest(service=NAME).SerializeToString()),
    "reflection": (REFLECT, lambda: reflection_pb2.ServerReflectionRequest(file_by_filename=NAME).SerializeToString()),
    "no message at all": (CLASSIFY, lambda: bytes(23 * MEGABYTE)),
    "no such method": ("/lookbook.v1.Nothing/Here", lambda: bytes(23 * MEGABYTE)),
}
REFUSED: Final = {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "INTERNAL"}
"""The last is what a client says of a call that was ended while it was still sending."""


def check_crowd(promise: Promises, watched: Watched) -> None:
    """Both figures of what many calls do at once; two large messages may be handed over in one round of the loop."""
    assert watched.peak_bytes <= promise.most_bytes(MOST_BYTES) and watched.held_up_s() <= 2 * promise.hold_up_s, (
        watched.told()
    )


async def _code(watched: Watched, method: str, message: bytes) -> str:
    call = watched.running.channel.stream_stream(method)(timeout=PATIENCE_S)
    try:
        await call.write(message)
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        pass  # it has been refused already; its code says how
    return (await call.code()).name


@pytest.mark.parametrize("kind", LARGE)
async def test_large_messages(promise: Promises, watched: Watched, kind: str) -> None:
    """Messages that are refused cost no more than those that are answered, to whatever service they go."""
    method, make = LARGE[kind]
    message = make()
    with promise(f"gRPC: {COUNT} messages of 23 MB, {kind}", "refused; memory ≤ 512 MB, loop ≤ 100 ms") as row:
        codes = await asyncio.gather(*(_code(watched, method, message) for _ in range(COUNT)))
        seen = await statuses(watched, 3)
        row.seen = f"{told(codes)}; polite {told(seen.elements())}; {watched.told()}"
        assert set(codes) <= REFUSED and seen == {200: 3}
        check_crowd(promise, watched)


@pytest.mark.parametrize("method", [CHECK, REFLECT])
async def test_held_messages(promise: Promises, watched: Watched, method: str) -> None:
    """Messages to other services that do not end are bounded in memory as well."""
    with promise(f"gRPC: 20 held messages of 23 MB to {method}", "memory ≤ 512 MB; 20 of 20 polite × 200") as row:
        done = asyncio.Event()
        held = [asyncio.create_task(hold_message(watched, 23 * MEGABYTE, done, method)) for _ in range(COUNT)]
        await asyncio.wait(held, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        seen = await statuses(watched, 20)
        done.set()
        row.seen = f"polite {told(seen.elements())}; {told(await asyncio.gather(*held))}; {watched.told()}"
        assert seen == {200: 20}
        check_crowd(promise, watched)


@pytest.mark.parametrize("method", ["Classify", CHECK])
async def test_messages_that_come_late(promise: Promises, watched: Watched, method: str) -> None:
    """Calls that wait until each has been asked for its message, and then all send at once, are ended in time."""
    with promise(f"gRPC: 200 messages of 23 MB at once to {method}, late", "≤ 512 MB; 20 of 20 polite × 200") as row:
        done = asyncio.Event()
        late = [
            asyncio.create_task(hold_message(watched, 23 * MEGABYTE, done, method, after_s=1.5)) for _ in range(200)
        ]
        await asyncio.wait(late, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        seen = await statuses(watched, 20)
        done.set()
        row.seen = f"polite {told(seen.elements())}; {told(await asyncio.gather(*late))}; {watched.told()}"
        assert seen == {200: 20}
        check_crowd(promise, watched)


async def test_unread_answers(promise: Promises, watched: Watched) -> None:
    """A client that asks and gives the answers no room, on many connections, fills no memory with them."""
    closed_window = frames.frame(frames.SETTINGS, 0, 0, struct.pack(">HI", frames.INITIAL_WINDOW, 0))
    with promise("gRPC: 10,000 answers that are not read", "memory ≤ 300 MB, others answered") as row:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(100):
                client = await stack.enter_async_context(http2(watched))
                client.writer.write(closed_window)
                for stream in range(1, 200, 2):
                    client.writer.write(frames.call(stream, "GetTaxonomy", b"\0" * 5))
            seen = await statuses(watched, 10)
        row.seen = f"{told(seen.elements())}; {watched.told()}"
        assert seen == {200: 10} and watched.peak_bytes <= promise.most_bytes(300e6)
        check_crowd(promise, watched)
        assert "Traceback" not in watched.running.log.read_text()


async def test_headers_without_end(promise: Promises, watched: Watched) -> None:
    """Heads that go on and on in CONTINUATION frames are cut off (CVE-2024-27316 and its kin)."""
    part = frames.frame(frames.CONTINUATION, 0, 1, frames.literal("x", "a" * 100))
    with promise("gRPC: a head without an end", "cut off; memory ≤ 300 MB, loop ≤ 50 ms") as row:
        async with http2(watched) as client:
            start = frames.frame(frames.HEADERS, 0, 1, frames.head("Classify"))
            sent = await poured(client.writer, [start, *([part * 100] * 4_000)])
            await asyncio.wait_for(client.ended(), PATIENCE_S)
        row.seen = f"after {sent / 1e6:.1f} MB; {watched.told()}"
        assert watched.peak_bytes <= promise.most_bytes(300e6) and watched.held_up_s() <= promise.hold_up_s


async def test_compressed_message(promise: Promises, watched: Watched) -> None:
    """A gRPC message that is small only because it is compressed is refused before it is unpacked."""
    bomb = payloads.gzip_bomb(512 * MEGABYTE)
    await watched.reset()
    with promise("gRPC: a compressed message of 512 MB", "refused, memory as before") as row:
        async with http2(watched) as client:
            head = frames.head("ClassifyBatch") + frames.literal("grpc-encoding", "gzip")
            client.writer.write(frames.frame(frames.HEADERS, frames.END_HEADERS, 1, head))
            await client.send(b"\x01" + struct.pack(">I", len(bomb)) + bomb)
            client.writer.write(frames.frame(frames.DATA, 1, 1))
            await asyncio.sleep(2)
        row.seen = f"{len(bomb):,} bytes; {watched.told()}"
        assert (await classify(watched, RED)).status_code == 200
        assert watched.peak_bytes <= promise.most_bytes(300e6) and watched.held_up_s() <= promise.hold_up_s


async def test_large_metadata(promise: Promises, watched: Watched) -> None:
    """Metadata is bounded like the head of a request."""
    with promise("gRPC: 1 MB of metadata", "refused, memory as before") as row:
        code = await grpc_code(watched, "GetModels", b"", metadata=tuple((f"x-{i}", "a" * 1000) for i in range(1000)))
        row.seen = f"{code}; {watched.told()}"
        assert code in ("RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE")


async def test_streams_broken_off(promise: Promises, fake_server: FakeModelServer, tmp_path: Path) -> None:
    """A client that hangs up in the middle of a stream's answers is counted as that, and is no bug in the log."""
    with promise("gRPC: 10 streams that are broken off", "counted as cancelled, no traceback") as row:
        async with watched_merger(tmp_path, fake_server.target) as watched:
            for _ in range(10):
                async with http2(watched) as client:
                    client.writer.write(frames.frame(frames.HEADERS, frames.END_HEADERS, 1, frames.head(STREAM)))
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(client.send(b"\0" * 5 * 20_000), 2)  # more than fits before it is read
            page = await until(lambda: _page_with(watched, 'code="cancelled",method="ClassifyStream"'))
            log = watched.running.log.read_text()
        row.seen = f"{log.count('Traceback')} tracebacks"
        assert 'code="internal"' not in page and "Traceback" not in log


async def _page_with(watched: Watched, words: str) -> str:
    page = (await watched.running.admin.get("/metrics")).text
    return page if words in page else ""


async def test_watchers_are_bounded(promise: Promises, watched: Watched) -> None:
    """Health and reflection can be watched, by one address only so often."""
    with promise("gRPC: 200 health watches of one address", "most refused, others answered") as row:
        method = watched.running.channel.unary_stream("/grpc.health.v1.Health/Watch")
        watches = [method(b"") for _ in range(200)]
        first = await asyncio.gather(*(_first(watch) for watch in watches))
        answer = await watched.running.stub.Classify(pb.ClassifyRequest(image=RED))
        for watch in watches:
            watch.cancel()
        row.seen = told(first)
        assert answer.release == "1" and first.count("answered") <= 32 and "RESOURCE_EXHAUSTED" in first


async def _first(watch: grpc.aio.UnaryStreamCall) -> str:
    try:
        await asyncio.wait_for(watch.read(), 20)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    except asyncio.TimeoutError:
        return "waiting"
    return "answered"
