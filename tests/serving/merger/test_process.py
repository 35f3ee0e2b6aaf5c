"""The process: what it costs, how it starts and how it ends."""

import asyncio
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.merger.admission.uploads import Uploads
from serving.merger.models.releases import Releases
from serving.merger.server import listen
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.ipv6 import has_ipv6
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import ROOT, MergerProcess, merger, until
from tests.serving.merger_within import merger_within

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
JPEG = {"content-type": "image/jpeg"}


async def test_is_small(running: MergerProcess, fake: FakeModelServer) -> None:
    """The merger stays under 100 MB after having answered."""
    for _ in range(20):
        reply = await running.http.post("/v1/classify", content=RED, headers=JPEG)
        assert reply.status_code == 200
    assert psutil.Process(running.process.pid).memory_info().rss < 100e6


async def test_imports_no_heavy_library() -> None:
    """Nothing that the merger imports brings TensorFlow, or numpy and pandas, which would double its start."""
    code = "import sys, serving.merger.server, serving.merger.rest.app; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"tensorflow", "numpy", "pandas"} & set(run.stdout.split())


async def test_drains_in_order(fake: FakeModelServer, tmp_path: Path) -> None:
    """SIGTERM: not ready first, still answering; then finishing what is under way; then the end, with status 0."""
    fake.models["category"].delay_s = 1.0
    async with merger(tmp_path, fake.target, shutdown_delay_ms=2_000) as running:
        await running.ready()
        early = asyncio.create_task(running.http.post("/v1/classify", content=RED, headers=JPEG))
        await until(lambda: fake.models["category"].active == 1)
        running.process.send_signal(signal.SIGTERM)
        report = await running.ready("not_ready")
        assert report["draining"]
        assert (await running.admin.get("/readyz")).status_code == 503
        health = await health_pb2_grpc.HealthStub(running.channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
        late = asyncio.create_task(running.http.post("/v1/classify", content=RED, headers=JPEG))
        assert [(await task).status_code for task in (early, late)] == [200, 200]
        assert await asyncio.wait_for(running.process.wait(), 10) == 0
        with pytest.raises(httpx.TransportError):
            await running.http.get("/livez")
        messages = [line["message"] for line in running.lines()]
        assert messages.index("draining") < messages.index("stopped")


async def test_interrupt_ends_at_once(fake: FakeModelServer, tmp_path: Path) -> None:
    """Ctrl-C does not wait for load balancers to notice."""
    async with merger(tmp_path, fake.target, shutdown_delay_ms=600_000) as running:
        await running.ready()
        running.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.process.wait(), 10) == 0


async def test_interrupts_in_a_hurry(fake: FakeModelServer, tmp_path: Path) -> None:
    """Ctrl-C ends the wait of a SIGTERM before it, and a second one what is under way, over REST and gRPC."""
    fake.models["category"].delay_s = 200.0
    settings = {"shutdown_delay_ms": 600_000, "drain_timeout_ms": 600_000, "request_timeout_ms": 600_000}
    async with merger(tmp_path, fake.target, **settings) as running:
        await running.ready()
        await running.channel.channel_ready()
        rest = asyncio.create_task(running.http.post("/v1/classify", content=RED, headers=JPEG))
        stub = asyncio.ensure_future(running.stub.Classify(pb.ClassifyRequest(image=RED)))
        await until(lambda: fake.models["category"].active >= 1)
        running.process.send_signal(signal.SIGTERM)
        await running.ready("not_ready")
        running.process.send_signal(signal.SIGINT)
        await until(lambda: _is_closed(running))
        assert not rest.done() and running.process.returncode is None
        running.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.process.wait(), 60) == 0
        broken_off = await asyncio.gather(rest, stub, return_exceptions=True)
        assert not [one for one in broken_off if getattr(one, "is_success", False)], broken_off


async def _is_closed(running: MergerProcess) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", running.http_port)
        writer.close()
        return False
    except OSError:
        return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_listens_on_ipv6(fake: FakeModelServer, tmp_path: Path) -> None:
    """An IPv6 address is one to listen on, for REST and for gRPC, as clusters without IPv4 need it."""
    async with merger(tmp_path, fake.target, host="::", anonymous=True) as running:
        await running.ready()
        reply = await running.http.post(f"http://[::1]:{running.http_port}/v1/classify", content=RED, headers=JPEG)
        assert reply.status_code == 200
        async with grpc.aio.insecure_channel(f"[::1]:{running.grpc_port}") as channel:
            health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("setting", ["http_port", "grpc_port", "admin_port"])
async def test_taken_port(fake: FakeModelServer, tmp_path: Path, setting: str) -> None:
    """A port that is taken ends the process with the reason, instead of sharing it with a stranger."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=f"cannot serve.*nothing can listen on 127.0.0.1:{port};") as caught:
            async with merger(tmp_path, fake.target, **{setting: port}):
                pass
        assert "Traceback" not in str(caught.value)


async def test_no_descriptor_is_left(fake: FakeModelServer, tmp_path: Path) -> None:
    """Memory is watched on without a word of trouble, and afterwards all is as it was."""
    async with merger(tmp_path, fake.target, poll_interval_ms=60_000) as running:
        await running.ready()
        pid = running.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
        await asyncio.sleep(1.0)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        reply = await running.http.post("/v1/classify", content=RED, headers=JPEG)
        assert reply.status_code == 200
        assert not [line for line in running.lines() if line["level"] in ("WARNING", "ERROR", "CRITICAL")]


@pytest.mark.parametrize(("connections", "is_told"), [(100, False), (10**9, True)])
async def test_descriptors_for_all_connections(
    fake: FakeModelServer, tmp_path: Path, connections: int, is_told: bool
) -> None:
    """The process raises its own limit as far as it may, and tells where that is too little."""
    code = "import resource, runpy; limit = resource.RLIMIT_NOFILE; "
    code += "resource.setrlimit(limit, (150, resource.getrlimit(limit)[1])); "
    code += "runpy.run_module('serving', run_name='__main__')"
    async with merger(tmp_path, fake.target, command=["-c", code], max_connections=connections) as running:
        assert resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)[0] >= 300
        told = [line for line in running.lines() if "fewer files may be open" in line["message"]]
        assert bool(told) == is_told


async def test_a_part_that_ends(
    fake: FakeModelServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A part that should run until the end and does not makes the process not ready, and the log says why."""
    ends = asyncio.Event()

    async def watch(_: Uploads) -> None:
        await ends.wait()
        raise KeyError("a bug in watching")

    monkeypatch.setattr(Uploads, "watch", watch)
    async with merger_within(fake.target) as (_, client):
        await until(lambda: _has_status(client, 200))
        ends.set()
        await until(lambda: _has_status(client, 503))
        assert (await client.get("/readyz")).json()["status"] == "not_ready"
        assert (await client.get("/livez")).status_code == 503
    assert "a bug in watching" in caplog.text


async def test_a_bug_in_a_look(
    fake: FakeModelServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Releases are followed on, whatever goes wrong in one look at the model servers."""
    looks = 0
    whole = Releases._wanted

    def wanted(releases: Releases) -> Any:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise KeyError("a bug in looking")
        return whole(releases)

    monkeypatch.setattr(Releases, "_wanted", wanted)
    async with merger_within(fake.target) as (_, client):
        await until(lambda: _has_status(client, 200))
    assert "a bug in looking" in caplog.text


async def _has_status(client: httpx.AsyncClient, status: int) -> bool:
    return (await client.get("/readyz")).status_code == status


async def test_without_proc(fake: FakeModelServer, tmp_path: Path) -> None:
    """A system that does not tell a process's memory, as macOS, runs it all the same, and the log says so once."""
    code = (
        "import pathlib, runpy, serving.merger.admission.memory as memory; memory.STATM = pathlib.Path('/no/statm'); "
    )
    code += "runpy.run_module('serving', run_name='__main__')"
    async with merger(tmp_path, fake.target, command=["-c", code]) as running:
        await running.ready()
        assert (await running.http.post("/v1/classify", content=RED, headers=JPEG)).status_code == 200
        reply = await running.stub.Classify(pb.ClassifyRequest(image=RED))
        assert reply.release == "1"
        told = [line for line in running.lines() if "does not tell the memory" in line["message"]]
        assert len(told) == 1


async def test_strange_address(fake: FakeModelServer, tmp_path: Path) -> None:
    """An address that is not this machine's ends the process with the address in the reason."""
    with pytest.raises(AssertionError, match=r"cannot serve.*nothing can listen on 203\.0\.113\.7:0"):
        async with merger(tmp_path, fake.target, host="203.0.113.7", anonymous=True):
            pass


async def test_log_is_json_without_pictures(running: MergerProcess, fake: FakeModelServer) -> None:
    """Every line is a JSON object with time, level and logger; no line holds a picture."""
    await running.http.post("/v1/classify", content=RED, headers=JPEG)
    lines = running.log.read_text().splitlines()
    assert len(running.lines()) == len(lines)
    for line in running.lines():
        assert {"time", "level", "logger", "message"} <= set(line)
    assert max(map(len, lines)) < 3000


async def test_answers_are_not_held_back() -> None:
    """Nagle's algorithm is off on REST connections; with it on each answer takes 40 ms longer."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    sock = listen("127.0.0.1", 0)
    async with await asyncio.start_server(look, sock=sock):
        _, writer = await asyncio.open_connection(*sock.getsockname())
        assert await accepted == 1
        writer.close()
