"""A closed loop: so many callers, each sending its next picture when the last is answered."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psutil

Ask = Callable[[bytes], Awaitable[None]]
"""Sends one picture and awaits its answer; raises if there is none."""


@dataclass(frozen=True)
class Result:
    """What one way did with so many callers: milliseconds, pictures a second, CPU seconds a picture, resident MB."""

    p50_ms: float
    p99_ms: float
    per_second: float
    cpu_ms: float
    rss_mb: float


@dataclass(frozen=True)
class Usage:
    """CPU seconds so far and resident bytes now, of some processes and their children."""

    cpu_s: float
    rss: int

    @classmethod
    def of(cls, pids: Sequence[int]) -> "Usage":
        """Looks at the processes."""
        roots = [psutil.Process(pid) for pid in pids]
        processes = [process for root in roots for process in (root, *root.children(recursive=True))]
        times = [process.cpu_times() for process in processes]
        return cls(sum(t.user + t.system for t in times), sum(process.memory_info().rss for process in processes))


def summarize(latencies_s: Sequence[float], seconds: float, before: Usage, after: Usage) -> Result:
    """The figures of one run."""
    ordered = sorted(latencies_s)
    return Result(
        p50_ms=1000 * statistics.median(ordered),
        p99_ms=1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        per_second=len(ordered) / seconds,
        cpu_ms=1000 * (after.cpu_s - before.cpu_s) / len(ordered),
        rss_mb=after.rss / 1e6,
    )


async def measure(
    asks: Sequence[Ask], pictures: Sequence[bytes], seconds: float, warm_up_s: float, pids: Sequence[int]
) -> Result:
    """Lets one caller an ``asks`` entry run for ``warm_up_s`` and then ``seconds``; the latter count."""
    await _run(asks, pictures, warm_up_s)
    before, started = Usage.of(pids), time.perf_counter()
    latencies_s = await _run(asks, pictures, seconds)
    return summarize(latencies_s, time.perf_counter() - started, before, Usage.of(pids))


async def _run(asks: Sequence[Ask], pictures: Sequence[bytes], seconds: float) -> list[float]:
    until = time.perf_counter() + seconds
    latencies_s: list[float] = []

    async def call(ask: Ask, first: int) -> None:
        for i in itertools.count(first, len(asks)):
            started = time.perf_counter()
            if started > until:
                return
            await ask(pictures[i % len(pictures)])
            latencies_s.append(time.perf_counter() - started)

    await asyncio.gather(*(call(ask, i) for i, ask in enumerate(asks)))
    return latencies_s
