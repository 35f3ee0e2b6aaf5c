"""The decoding processes: the same pixels as here, within budget and deadline, and no harm to others by what breaks."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from serving.merger.core import images
from serving.merger.core.calls import Call
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, ImageTooLarge, ImageUndecodable
from serving.merger.core.images import Size
from serving.merger.decoding.decoder import Decoder
from tests.serving.pictures import encode, photo

SIZES = [Size(128, 96)]
LIMITS = (20 * 2**20, 50_000_000)
MEGABYTE = 2**20


def call(seconds: float = 30.0, caller: str = "me") -> Call:
    return Call("id", caller, Deadline(seconds))


@pytest.fixture
async def decoder() -> AsyncIterator[Decoder]:
    """Two processes and 64 MB."""
    decoder = Decoder(2, 64 * MEGABYTE, LIMITS)
    decoder.start()
    yield decoder
    decoder.stop()


def workers() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children() if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
    ]


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
async def test_pixels_are_the_same(decoder: Decoder, image_format: str) -> None:
    """What a process gives is what decoding here gives, byte for byte."""
    for size in ((60, 80), (900, 1200)):
        data = encode(photo(*size), image_format)
        here = images.prepare(images.inspect(data, *LIMITS), SIZES)
        there = await decoder.prepare(data, SIZES, call())
        assert there.encoded == here.encoded
        assert (there.format, there.width, there.height, there.reencoded) == (
            here.format, here.width, here.height, here.reencoded,
        )  # fmt: skip


async def test_more_than_the_budget_is_refused(decoder: Decoder) -> None:
    """A picture that takes more memory than there is for all is refused before it is decoded; the next is taken."""
    with pytest.raises(ImageTooLarge, match="at most 67,108,864 are allowed"):
        await decoder.prepare(encode(photo(4000, 4000), "WEBP", method=0), SIZES, call())
    assert (await decoder.prepare(encode(photo(200, 300), "JPEG"), SIZES, call())).width == 200


async def test_broken_picture(decoder: Decoder) -> None:
    """The refusal of a process is that of the gate."""
    with pytest.raises(ImageUndecodable):
        await decoder.prepare(encode(photo(900, 1200), "JPEG")[:-30_000], SIZES, call())


async def test_processes_that_died(decoder: Decoder) -> None:
    """Processes that died while they had nothing to do cost nobody an answer."""
    for worker in workers():
        worker.kill()
        worker.wait(10)
    assert (await decoder.prepare(encode(photo(900, 1200), "JPEG"), SIZES, call())).height == 1200


async def test_picture_that_kills(decoder: Decoder) -> None:
    """A picture that kills its process gets an error, and the next one a new process."""
    data = encode(photo(900, 1200), "JPEG")
    await asyncio.gather(*(decoder.prepare(data, SIZES, call()) for _ in range(2)))
    both = workers()
    for worker in both:
        os.kill(worker.pid, signal.SIGSTOP)
    working = [asyncio.create_task(decoder.prepare(data, SIZES, call())) for _ in range(2)]
    await asyncio.sleep(0.1)
    for worker in both:
        os.kill(worker.pid, signal.SIGKILL)
    for one in working:
        with pytest.raises(ImageUndecodable, match="broke the decoder"):
            await one
    assert (await decoder.prepare(data, SIZES, call())).height == 1200


async def test_deadline_leaves_nobody_without(decoder: Decoder) -> None:
    """Processes that hang cost their callers the deadline, and are replaced: others are answered soon after."""
    data = encode(photo(900, 1200), "JPEG")
    await asyncio.gather(*(decoder.prepare(data, SIZES, call()) for _ in range(2)))
    hung = workers()
    for worker in hung:
        os.kill(worker.pid, signal.SIGSTOP)
    stuck = [asyncio.create_task(decoder.prepare(data, SIZES, call(0.3))) for _ in range(2)]
    for one in stuck:
        with pytest.raises(DeadlineExceeded):
            await one
    assert (await decoder.prepare(data, SIZES, call(caller="other"))).height == 1200
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in hung)
