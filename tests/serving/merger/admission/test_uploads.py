"""The budget of held bytes: who gives way, and that nothing stays taken."""

import asyncio

import pytest

from serving.merger.admission.uploads import Uploads
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, Overloaded, UploadTimeout


async def test_oldest_of_the_greediest_gives_way() -> None:
    """A new upload of another caller takes the place of the oldest of whoever holds most, and no more than it needs."""
    uploads = Uploads(100)
    greedy = [uploads.open("greedy") for _ in range(3)]
    for one in greedy:
        one.grow(30)
    polite = uploads.open("polite")
    polite.grow(20)
    assert [one.has_given_way for one in greedy] == [True, False, False]
    assert uploads.held_bytes == 80


async def test_whole_uploads_are_kept() -> None:
    """What is worked on is not thrown away: then the new one is refused."""
    uploads = Uploads(100)

    async def body() -> None:
        whole.grow(90)

    with uploads.upload("one") as whole:
        await whole.read(body(), 1)
        with pytest.raises(Overloaded) as caught:
            uploads.open("two").grow(20)
        assert caught.value.retry_after_s and not whole.has_given_way
    assert uploads.held_bytes == 0


async def test_its_reader_hears_of_it() -> None:
    """Who has to give way while it waits for more is told so at once."""
    uploads = Uploads(100)
    slow = uploads.open("greedy")
    slow.grow(90)
    reading = asyncio.create_task(slow.read(asyncio.sleep(60), 60))
    await asyncio.sleep(0)
    uploads.open("polite").grow(50)
    with pytest.raises(Overloaded):
        await asyncio.wait_for(reading, 5)


async def test_time_is_bounded() -> None:
    """A body that does not come is given up."""
    with pytest.raises(UploadTimeout, match=r"0\.01 s"):
        await Uploads(100).open("one").read(asyncio.sleep(60), 0.01)


async def test_patient_growth_waits_for_room() -> None:
    """A stream's picture waits for others to be done, within its deadline, and nobody gives way for it."""
    uploads = Uploads(100)
    first, second = uploads.open("one"), uploads.open("two", is_counted=False)
    first.grow(90)
    with pytest.raises(DeadlineExceeded):
        await second.grow_patiently(50, Deadline(0.01))
    growing = asyncio.create_task(second.grow_patiently(50, Deadline(10)))
    await asyncio.sleep(0)
    uploads.forget(first)
    await growing
    assert uploads.held_bytes == 50 and not first.has_given_way
