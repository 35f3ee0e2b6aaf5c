"""A real merger in a process of its own, for tests."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc.aio
import httpx

from serving.proto.lookbook.v1 import classifier_pb2_grpc

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
QUICK = {"poll_interval_ms": 100, "poll_timeout_ms": 1000, "shutdown_delay_ms": 200, "breaker_open_ms": 300}


class MergerProcess:
    """A running merger and clients of it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, ca: Path | None) -> None:
        self.process = process
        self.log = log
        self._ca = ca
        self.http: httpx.AsyncClient
        self.admin: httpx.AsyncClient
        self.stub: classifier_pb2_grpc.ClassifierStub
        self.channel: grpc.aio.Channel
        self.http_port = self.grpc_port = self.admin_port = 0

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [
            json.loads(line)
            for line in self.log.read_text().splitlines()
            if line.startswith("{") and line.endswith("}")
        ]

    async def connect(self) -> None:
        listening = await until(lambda: [line for line in self._alive() if line["message"] == "listening"])
        self.http_port, self.grpc_port, self.admin_port = (
            listening[0][name] for name in ("http_port", "grpc_port", "admin_port")
        )
        scheme, verify = ("https", ssl.create_default_context(cafile=self._ca)) if self._ca else ("http", False)
        self.http = httpx.AsyncClient(
            base_url=f"{scheme}://127.0.0.1:{self.http_port}", timeout=PATIENCE_S, verify=verify
        )
        self.admin = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.admin_port}", timeout=PATIENCE_S)
        self.channel = self._open_channel()
        self.stub = classifier_pb2_grpc.ClassifierStub(self.channel)

    def _open_channel(self) -> grpc.aio.Channel:
        if not self._ca:
            return grpc.aio.insecure_channel(self.grpc_target)
        return grpc.aio.secure_channel(self.grpc_target, grpc.ssl_channel_credentials(self._ca.read_bytes()))

    async def ready(self, status: str = "ready", release: int | None = None) -> dict[str, Any]:
        """Waits until /readyz says so; gives its JSON."""

        async def holds() -> dict[str, Any] | None:
            report = (await self.admin.get("/readyz")).json()
            is_right = report["status"] == status and (release is None or report["release"] == str(release))
            return report if is_right else None

        return await until(holds)

    async def close(self) -> None:
        await self.http.aclose()
        await self.admin.aclose()
        await self.channel.close()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    def _alive(self) -> list[dict[str, Any]]:
        assert self.process.returncode is None, self.log.read_text()
        return self.lines()


@contextlib.asynccontextmanager
async def merger(
    folder: Path, target: str, *, ca: Path | None = None, command: Sequence[str] = ("-m", "serving"), **settings: Any
) -> AsyncIterator[MergerProcess]:
    """Runs a merger whose models are at ``target``; settings by their field names; ``ca`` vouches for its TLS."""
    chosen = {"http_port": 0, "grpc_port": 0, "admin_port": 0, "article_type_target": target, "category_target": target}
    chosen |= {"web_dir": "/nowhere"} | QUICK | settings
    environment = {f"LOOKBOOK_{name.upper()}": str(value) for name, value in chosen.items()}
    log = folder / "merger.log"
    with log.open("w") as stream:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=ROOT, env=os.environ | environment, stdout=stream, stderr=stream
        )
    running = MergerProcess(process, log, ca)
    try:
        await running.connect()
        yield running
    finally:
        if hasattr(running, "http"):
            await running.close()
        elif process.returncode is None:
            process.kill()
            await process.wait()


async def until(condition: Any, patience_s: float = PATIENCE_S) -> Any:
    """Polls ``condition``, a function or a coroutine function, until it gives something true; gives that."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        with contextlib.suppress(httpx.TransportError):
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
        assert asyncio.get_running_loop().time() < deadline, f"not within {patience_s} s: {condition}"
        await asyncio.sleep(0.02)
