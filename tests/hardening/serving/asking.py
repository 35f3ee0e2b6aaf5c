"""Asks a merger under faults: how each answer came out, how long it took, and whether all is well again."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import httpx

from tests import tiny_models
from tests.serving.merger_process import MergerProcess, until

RED: Final = tiny_models.picture("red")
JPEG: Final = {"content-type": "image/jpeg"}
NO_ANSWER: Final = 0


@dataclass(frozen=True)
class Asked:
    """One answer: HTTP status, 0 when the connection broke; seconds; the problem's code."""

    status: int
    seconds: float
    code: str = ""


async def ask(running: MergerProcess, content: bytes = RED) -> Asked:
    """Asks once by REST."""
    started = time.monotonic()
    try:
        reply = await running.http.post("/v1/classify", content=content, headers=JPEG)
    except httpx.TransportError as error:
        return Asked(NO_ANSWER, time.monotonic() - started, type(error).__name__)
    seconds = time.monotonic() - started
    return Asked(reply.status_code, seconds, "" if reply.status_code == 200 else reply.json()["code"])


async def ask_many(running: MergerProcess, count: int, at_once: int = 8) -> list[Asked]:
    """Asks so often, so many at a time."""
    places = asyncio.Semaphore(at_once)

    async def one() -> Asked:
        async with places:
            return await ask(running)

    return await asyncio.gather(*(one() for _ in range(count)))


def told(asked: Iterable[Asked]) -> str:
    """Statuses with their counts and the longest time, as a row says it."""
    rows = list(asked)
    counts = Counter(f"{row.status}{' ' + row.code if row.code else ''}" for row in rows)
    seen = ", ".join(f"{count}× {kind}" for kind, count in counts.most_common())
    return f"{seen}; longest {max(row.seconds for row in rows):.2f} s"


async def recovery_s(running: MergerProcess, patience_s: float = 20.0) -> float:
    """Seconds until answers come again and nothing is under way any more."""
    started = time.monotonic()

    async def is_well() -> bool:
        return (await ask(running)).status == 200

    await until(is_well, patience_s)
    seconds = time.monotonic() - started
    await until(lambda: is_idle(running), patience_s)
    return seconds


async def is_idle(running: MergerProcess) -> bool:
    """Whether both gauges of pictures are at 0."""
    return await metric(running, "lookbook_images_active") == 0 == await metric(running, "lookbook_images_queued")


async def metric(running: MergerProcess, name: str) -> float:
    """The sum of a metric's samples."""
    page = (await running.admin.get("/metrics")).text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE))
