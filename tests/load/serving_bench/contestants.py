"""Starts what is measured, and measures it."""

import asyncio
import json
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from schema import heads as table
from serving.local.processes import Child, free_port, python_with, wait_for
from serving.local.stack import Stack
from tests.load.serving_bench import asking
from tests.load.serving_bench.load import Ask, Result, Usage, measure

READY_S = 120.0
WARM_UP_S = 2.0
RAW = "tests.load.serving_bench.raw"
NAIVE = "tests.load.serving_bench.naive"


@dataclass(frozen=True)
class Bench:
    """What is measured with what, for how long a cell."""

    running: Stack
    release: Path
    version: int
    pictures: list[bytes]
    folder: Path
    seconds: float

    @property
    def server_pids(self) -> list[int]:
        """Of the model server and the merger."""
        return [child.process.pid for child in self.running.children]

    def direct(self, callers: int) -> Result:
        """Two concurrent Predict calls a picture."""
        return self._measure(asking.direct(self.running.model_target, callers), self.server_pids[:1])

    def grpc(self, callers: int) -> Result:
        """The merger by gRPC."""
        return self._measure(asking.merger_grpc(self.running.grpc_target, callers), self.server_pids)

    def rest(self, callers: int) -> Result:
        """The merger by REST."""
        port = int(self.running.http_url.rsplit(":", 1)[1])
        return self._measure(asking.http(port, "/v1/classify", callers), self.server_pids)

    def raw(self, callers: int, batch: int = 1) -> Result:
        """The signatures in one process."""
        python = python_with("tensorflow", "pipeline")
        arguments = [self.release, self.version, self.folder, self.seconds, callers, batch]
        run = subprocess.run(
            [python, "-m", RAW, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=600
        )
        if run.returncode:
            raise RuntimeError(f"{RAW} failed: {run.stderr[-2000:]}")
        return Result(**json.loads(run.stdout.splitlines()[-1]))

    def naive(self, callers: Sequence[int], log: Path) -> dict[int, Result]:
        """FastAPI and two ``keras.predict`` calls; number of callers → figures."""
        port = free_port()
        command = [python_with("tensorflow", "pipeline"), "-m", NAIVE, str(self.release), str(self.version), str(port)]
        child = Child("naive server", command, log)
        try:
            wait_for(lambda: _answers(f"http://127.0.0.1:{port}/docs"), [child], READY_S)
            pids = [child.process.pid]
            return {count: self._measure(asking.http(port, "/v1/classify", count), pids) for count in callers}
        finally:
            child.stop()

    def _measure(self, ways: AbstractAsyncContextManager[list[Ask]], pids: Sequence[int]) -> Result:
        async def run() -> Result:
            async with ways as asks:
                return await measure(asks, self.pictures, self.seconds, WARM_UP_S, pids)

        return asyncio.run(run())


@dataclass(frozen=True)
class Start:
    """A cold start of the merger beside a model server that is there: seconds to the first ready, resident MB."""

    grpc_s: float
    rest_s: float
    rss_mb: float


def start_merger(model_target: str, log: Path) -> Start:
    """Starts a merger, waits until both of its transports are ready, stops it."""
    http_port, grpc_port = free_port(), free_port()
    environment = {f"LOOKBOOK_{model.upper()}_TARGET": model_target for model in table.MODELS}
    environment |= {"LOOKBOOK_HTTP_PORT": f"{http_port}", "LOOKBOOK_GRPC_PORT": f"{grpc_port}"}
    environment["LOOKBOOK_ADMIN_PORT"] = f"{free_port()}"
    environment |= {"LOOKBOOK_SHUTDOWN_DELAY_MS": "0"}
    started = time.perf_counter()
    command = [python_with("uvloop", "serving"), "-m", "serving"]
    child = Child("merger", command, log, environment=environment)
    try:
        wait_for(lambda: _is_serving(grpc_port), [child], READY_S)
        grpc_s = time.perf_counter() - started
        wait_for(lambda: _answers(f"http://127.0.0.1:{http_port}/readyz"), [child], READY_S)
        rest_s = time.perf_counter() - started
        return Start(grpc_s, rest_s, Usage.of([child.process.pid]).rss / 1e6)
    finally:
        child.stop()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _is_serving(port: int) -> bool:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=2)
        except grpc.RpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
