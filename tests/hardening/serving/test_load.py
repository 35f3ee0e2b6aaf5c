"""More load than the merger can take, and load for long."""

import asyncio
import os
import statistics
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.hardening.promises import Promises
from tests.hardening.serving.asking import is_idle, recovery_s
from tests.hardening.serving.k6 import load, needs_k6
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = [pytest.mark.slow, needs_k6]

MODEL_S: Final = 0.1
"""Time of a model call: it bounds what can be answered, so that the merger's own manners are seen, not this machine."""
OVERLOAD_S: Final = int(os.environ.get("LOOKBOOK_OVERLOAD_S", "60"))
SOAK_S: Final = int(os.environ.get("LOOKBOOK_SOAK_S", "120"))
MOST_P99_MS: Final = 2_000
EVERY_S: Final = 1.0


@pytest.fixture
async def slow_models() -> AsyncIterator[FakeModelServer]:
    """Models that take a moment."""
    server = FakeModelServer()
    for model in server.models.values():
        model.delay_s = MODEL_S
    await server.start()
    yield server
    await server.stop()


async def watch(running: MergerProcess, samples: list[tuple[float, int]]) -> None:
    """Notes resident megabytes and descriptors every second."""
    process = psutil.Process(running.process.pid)
    while True:
        samples.append((process.memory_info().rss / 1e6, process.num_fds()))
        await asyncio.sleep(EVERY_S)


@pytest.mark.timeout(OVERLOAD_S + 120)
async def test_three_times_the_capacity(promise: Promises, slow_models: FakeModelServer, tmp_path: Path) -> None:
    """Under three times what it can answer the merger goes on answering as much, and refuses the rest politely."""
    words = f"goodput ≥ 90 % of the peak, p99 ≤ {MOST_P99_MS} ms, the rest refused with a time to come back, RSS flat"
    with promise(f"load: 3 × capacity for {OVERLOAD_S} s", words) as row:
        async with merger(tmp_path, slow_models.target) as running:
            await running.ready()
            await load(running, tmp_path, seconds=5, callers=64)
            peak = await load(running, tmp_path, seconds=10, callers=64)
            samples: list[tuple[float, int]] = []
            watching = asyncio.create_task(watch(running, samples))
            seen = await load(running, tmp_path, seconds=OVERLOAD_S, rate=round(3 * peak.accepted_per_s))
            watching.cancel()
            back_s = await recovery_s(running, 5.0)
        first, last = (statistics.median(mb for mb, _ in part) for part in (samples[5:15], samples[-10:]))
        row.seen = (
            f"{seen.accepted_per_s:.0f}/s of {peak.accepted_per_s:.0f}/s at the peak; p99 {seen.p99_ms:.0f} ms; "
            f"{seen.refused} refused, {seen.broken} otherwise; {first:.0f} → {last:.0f} MB; normal after {back_s:.1f} s"
        )
        assert seen.accepted_per_s >= 0.9 * peak.accepted_per_s and seen.p99_ms <= MOST_P99_MS
        assert seen.broken == 0, seen.words
        assert seen.refused > seen.accepted and last <= 1.1 * first + 5


@pytest.mark.timeout(SOAK_S + 120)
async def test_soak(promise: Promises, slow_models: FakeModelServer, tmp_path: Path) -> None:
    """Hours of ordinary load leave memory, descriptors and latency as they were."""
    words = "no failure; RSS, descriptors and latency at the end as after the start"
    for model in slow_models.models.values():
        model.delay_s = 0.01
    with promise(f"load: soak of {SOAK_S} s", words) as row:
        async with merger(tmp_path, slow_models.target) as running:
            await running.ready()
            await load(running, tmp_path, seconds=10, callers=8)
            samples: list[tuple[float, int]] = []
            watching = asyncio.create_task(watch(running, samples))
            parts = [await load(running, tmp_path, seconds=SOAK_S // 4, callers=8) for _ in range(4)]
            watching.cancel()
            await until(lambda: is_idle(running))
        quarter = len(samples) // 4
        (mb, fds), (later_mb, later_fds) = (
            (statistics.median(s[0] for s in part), max(s[1] for s in part))
            for part in (samples[:quarter], samples[-quarter:])
        )
        row.seen = (
            f"{sum(part.accepted for part in parts)} answers, {sum(part.broken + part.refused for part in parts)} not; "
            f"{mb:.0f} → {later_mb:.0f} MB, {fds} → {later_fds} descriptors, "
            f"median {parts[0].median_ms:.0f} → {parts[-1].median_ms:.0f} ms"
        )
        assert not any(part.broken or part.refused for part in parts), parts
        assert later_mb <= 1.05 * mb + 3 and later_fds <= fds + 5
        assert parts[-1].median_ms <= 1.5 * parts[0].median_ms + 5
