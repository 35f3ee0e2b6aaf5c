"""Processes that stop, die and come back, and a clock that jumps."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serving.client import ClassifierClient
from serving.local.processes import free_port
from tests.hardening.promises import Promises
from tests.hardening.serving.asking import RED, ask_many, metric, recovery_s, told
from tests.serving.merger_process import ROOT, merger

SETTINGS = {"request_timeout_ms": 2000, "keepalive_ms": 1000, "breaker_open_ms": 500}
CLOCK = """\
import datetime, os, sys, time
_real, _file = time.time, os.environ["JUMP_FILE"]
def _jumped():
    # gRPC hands what it reads here to its C core, whose own clock cannot be set by a test.
    if sys._getframe(1).f_globals.get("__name__", "").startswith("grpc") or not os.path.exists(_file):
        return _real()
    return _real() + float(open(_file).read())
class _Jumped(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(_jumped(), tz)
time.time, datetime.datetime = _jumped, _Jumped
"""


class ModelServer:
    """The fake model server as a process that signals can be sent to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: asyncio.subprocess.Process

    async def start(self) -> None:
        """Starts it, on the same port each time."""
        command = (sys.executable, "-m", "tests.serving.fake_model_server", f"--port={self.port}")
        self.process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)

    async def kill(self) -> None:
        """SIGKILL, also when it is stopped."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    """A model server that runs."""
    server = ModelServer()
    await server.start()
    yield server
    await server.kill()


async def test_stopped_model_server(promise: Promises, models: ModelServer, tmp_path: Path) -> None:
    """A model server that hangs costs every caller its deadline at most, and is used again when it goes on."""
    with promise("process: model server SIGSTOP, SIGCONT", "503 or 504 within 5 s; answers within 20 s after") as row:
        async with merger(tmp_path, f"127.0.0.1:{models.port}", **SETTINGS) as running:
            await running.ready()
            models.process.send_signal(signal.SIGSTOP)
            asked = await ask_many(running, 24)
            models.process.send_signal(signal.SIGCONT)
            row.seen = f"{told(asked)}; well again after {await recovery_s(running):.2f} s"
        assert {one.status for one in asked} <= {503, 504} and max(one.seconds for one in asked) < 5


async def test_killed_model_server(promise: Promises, models: ModelServer, tmp_path: Path) -> None:
    """A model server that dies is said to be away at once, and is used again when it is back."""
    with promise("process: model server SIGKILL and return", "503 within 3 s; answers within 20 s after") as row:
        async with merger(tmp_path, f"127.0.0.1:{models.port}", **SETTINGS) as running:
            await running.ready()
            await models.kill()
            asked = await ask_many(running, 24)
            await running.ready("not_ready")
            await models.start()
            row.seen = f"{told(asked)}; well again after {await recovery_s(running):.2f} s"
        assert {one.status for one in asked} == {503} and max(one.seconds for one in asked) < 3


async def test_killed_merger(promise: Promises, models: ModelServer, tmp_path: Path) -> None:
    """With a second merger beside it, one that is killed under load costs no caller of the client an answer."""
    with promise("process: one of two mergers SIGKILL under load", "no call fails") as row:
        folders = [tmp_path / name for name in ("a", "b")]
        for folder in folders:
            folder.mkdir()
        target = f"127.0.0.1:{models.port}"
        async with merger(folders[0], target) as doomed, merger(folders[1], target) as other:
            for running in (doomed, other):
                await running.ready()
            both = f"ipv4:{doomed.grpc_target},{other.grpc_target}"
            with ClassifierClient(both, timeout_s=10) as client:
                calls = [asyncio.to_thread(_classify_often, client) for _ in range(4)]
                working = asyncio.gather(*calls)
                await asyncio.sleep(1.0)
                doomed.process.kill()
                releases = [release for answers in await working for release in answers]
            row.seen = f"{len(releases)} answers of {len(releases)} calls"
            assert set(releases) == {"1"}
            assert await metric(other, "lookbook_images_active") == 0


def _classify_often(client: ClassifierClient) -> list[str]:
    return [client.classify(RED).release for _ in range(150)]


@pytest.mark.parametrize("jump_s", [86_400, -86_400])
async def test_clock_jumps(promise: Promises, models: ModelServer, tmp_path: Path, jump_s: int) -> None:
    """A wall clock that is set a day forward or back ends no call and opens no breaker: time is measured otherwise."""
    file = tmp_path / "jump"
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    environment = {"PYTHONPATH": str(tmp_path), "JUMP_FILE": str(file)}
    with promise(f"clock: set {'forward' if jump_s > 0 else 'back'} by a day", "every call answered") as row:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            async with merger(tmp_path, f"127.0.0.1:{models.port}", **SETTINGS) as running:
                await running.ready()
                working = asyncio.create_task(ask_many(running, 200))
                await asyncio.sleep(0.1)
                await asyncio.to_thread(_write_whole, file, str(jump_s))
                asked = await working
                row.seen = told(asked)
                days = {line["time"][:10] for line in running.lines()}
        assert len(days) == 2, "the process has seen the jump"
        assert {one.status for one in asked} == {200}


def _write_whole(file: Path, text: str) -> None:
    """Never to be seen half-written."""
    draft = file.with_suffix(".new")
    draft.write_text(text)
    draft.rename(file)
