"""A merger that measures itself: the longest hold-up of its event loop, and the memory of it and its children.

A coroutine in the merger's own loop wakes every few milliseconds and notes how much later than that it is. Only time in
which the process burnt CPU counts, less what its thread waited for a core: that a machine is busy is not the merger's
fault.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.serving.merger_process import MergerProcess, merger

PROBE: Final = """\
import asyncio, os, threading, time

_real_run, _every_s = asyncio.run, 0.005

def _waited_s():
    with open(f"/proc/self/task/{threading.get_native_id()}/schedstat") as stream:
        return int(stream.read().split()[1]) / 1e9  # for a core

async def _probe(file):
    worst, wall, cpu, waited = 0.0, time.perf_counter(), time.process_time(), _waited_s()
    while True:
        await asyncio.sleep(_every_s)
        later, used, idle = time.perf_counter(), time.process_time(), _waited_s()
        late = min(later - wall - _every_s - (idle - waited), used - cpu)
        wall, cpu, waited = later, used, idle
        if late > worst or not os.path.exists(file):
            worst = late if os.path.exists(file) else 0.0
            with open(file, "w") as stream:
                stream.write(f"{worst:.6f}")

async def _both(work, file):
    probing = asyncio.ensure_future(_probe(file))
    try:
        return await work
    finally:
        probing.cancel()

if "LOOP_PROBE" in os.environ and not os.environ.get("LOOP_PROBE_OFF"):
    asyncio.run = lambda work, **options: _real_run(_both(work, os.environ["LOOP_PROBE"]), **options)
"""


class Watched:
    """A merger under watch."""

    def __init__(self, running: MergerProcess, file: Path) -> None:
        self.running = running
        self._file = file
        self._process = psutil.Process(running.process.pid)
        self._peak_bytes = 0

    @property
    def peak_bytes(self) -> int:
        """The most memory that was seen since the last :meth:`reset`, now included."""
        self.sample()
        return self._peak_bytes

    def sample(self) -> int:
        """Resident bytes of the merger and its children now; remembers the most."""
        resident = 0
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    resident += process.memory_info().rss
        self._peak_bytes = max(self._peak_bytes, resident)
        return resident

    def held_up_s(self) -> float:
        """The loop's longest hold-up since the last :meth:`reset`."""
        try:
            return float(self._file.read_text() or 0)
        except FileNotFoundError:
            return 0.0

    async def reset(self) -> None:
        """Forgets what was seen, starting included."""
        self._file.unlink(missing_ok=True)
        self._peak_bytes = 0
        while not self._file.exists():
            await asyncio.sleep(0.01)

    async def keep_sampling(self) -> None:
        """Samples memory until cancelled."""
        while True:
            self.sample()
            await asyncio.sleep(0.02)

    def told(self) -> str:
        """Both figures in words."""
        return f"{self.peak_bytes / 1e6:.0f} MB at most, loop held up {1000 * self.held_up_s():.0f} ms at most"


@contextlib.asynccontextmanager
async def watched_merger(folder: Path, target: str, **settings: Any) -> AsyncIterator[Watched]:
    """A merger with a probe in its event loop, and its memory sampled all the while."""
    file = folder / "held_up"
    (folder / "sitecustomize.py").write_text(PROBE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setenv("LOOP_PROBE", str(file))
        # On a busy machine a look at the models may take long, and none of these tests is about that.
        async with merger(folder, target, **{"poll_timeout_ms": 20_000} | settings) as running:
            await running.ready()
            watched = Watched(running, file)
            await watched.reset()
            sampling = asyncio.create_task(watched.keep_sampling())
            try:
                yield watched
            finally:
                sampling.cancel()
