"""The budget of held bytes: who gives way, and that nothing stays taken."""

import asyncio

import pytest

from serving.merger.admission import uploads as module
from serving.merger.admission.uploads import Uploads
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, Overloaded, UploadTimeout


async def test_oldest_of_the_greediest_gives_way() -> None:
    """A new upload of another caller takes the place of the oldest of whoever holds most, and no more than it needs."""
    uploads = Uploads(100)
    greedy = [uploads.open("greedy") for _ in range(3)]
    for one in greedy:
        await one.grow(30)
    polite = uploads.open("polite")
    await polite.grow(20)
    assert [one.has_given_way for one in greedy] == [True, False, False]
    assert uploads.held_bytes == 80


async def test_whole_uploads_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is worked on is not thrown away: a new one waits for it, and is refused only when that takes too long."""
    monkeypatch.setattr(module, "ROOM_S", 0.01)
    uploads = Uploads(100)

    async def body() -> None:
        await whole.grow(90)

    with uploads.upload("one") as whole:
        await whole.read(body(), 1)
        with pytest.raises(Overloaded) as caught:
            await uploads.open("two").grow(20)
        assert caught.value.retry_after_s and not whole.has_given_way
        monkeypatch.setattr(module, "ROOM_S", 60.0)
        waiting = asyncio.create_task(uploads.open("three").grow(20))
        await asyncio.sleep(0)
    await asyncio.wait_for(waiting, 5)
    assert uploads.held_bytes == 20


async def test_messages_come_in_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of unknown size begins when the one before is whole, or when its sender lets others wait."""
    monkeypatch.setattr(module, "resident_bytes", lambda: 0)
    uploads, begun = Uploads(100), list[str]()

    async def message(name: str, seconds: float) -> str:
        begun.append(name)
        await asyncio.sleep(seconds)
        return name

    slow, quick = uploads.open("slow", is_counted=False), uploads.open("quick", is_counted=False)
    first = asyncio.create_task(slow.receive(lambda: message("slow", 60), 60))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(quick.receive(lambda: message("quick", 0), 60), 5) == "quick"
    assert begun == ["slow", "quick"] and not first.done()
    slow.give_way()
    with pytest.raises(Overloaded):
        await first


async def test_short_memory_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """While memory is short no message begins and none of the waiting is refused; a slow one gives way to it."""
    resident = 0
    monkeypatch.setattr(module, "resident_bytes", lambda: resident)
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    uploads = Uploads(100)
    watching = asyncio.create_task(uploads.watch())
    slow, waiting = uploads.open("slow", is_counted=False), uploads.open("quick", is_counted=False)
    stalled = asyncio.create_task(slow.receive(lambda: asyncio.sleep(60), 60))
    await asyncio.sleep(0)
    resident = 1_000
    came = await asyncio.wait_for(waiting.receive(lambda: asyncio.sleep(0, "came"), 60), 10)
    assert came == "came" and slow.has_given_way and slow.looks >= module.SLOW_LOOKS
    with pytest.raises(Overloaded):
        await stalled
    watching.cancel()


async def test_a_look_that_fails_is_not_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong once, memory is watched on, and the log says what it was."""
    looks = iter([0, None])

    def looked() -> int:
        if (found := next(looks, 1_000)) is None:
            raise OSError("no descriptor is left")
        return found

    uploads = Uploads(100)
    monkeypatch.setattr(module, "resident_bytes", looked)
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "RETRY_S", 0.001)
    monkeypatch.setattr(module, "SLOW_LOOKS", 2)
    watching = asyncio.create_task(uploads.watch())
    slow = uploads.open("slow", is_counted=False)
    slow.is_coming_in = True
    for _ in range(10_000):
        await asyncio.sleep(0.001)
        if slow.has_given_way:
            break
    assert slow.has_given_way and "no descriptor is left" in caplog.text
    watching.cancel()


async def test_memory_that_grows_sheds_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where messages come in quicker than one can be ended a look, a share of them is; where memory stays, none is."""
    resident = 0
    monkeypatch.setattr(module, "resident_bytes", lambda: resident)
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "QUICK_BYTES", 0)
    monkeypatch.setattr(module, "SLOW_LOOKS", 10**9)  # nobody is slow
    uploads = Uploads(100)
    watching = asyncio.create_task(uploads.watch())
    messages = [uploads.open("any", is_counted=False) for _ in range(20)]
    for one in messages:
        one.is_coming_in = True
    known = uploads.open("any")
    known.is_coming_in = True
    await asyncio.sleep(0.05)
    assert not any(one.has_given_way for one in messages)
    resident = 300  # twice the budget and as much again
    while not any(one.has_given_way for one in messages):
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    assert sum(one.has_given_way for one in messages) == 10 and not known.has_given_way
    watching.cancel()


async def test_its_reader_hears_of_it() -> None:
    """Who has to give way while it waits for more is told so at once."""
    uploads = Uploads(100)
    slow = uploads.open("greedy")
    await slow.grow(90)
    reading = asyncio.create_task(slow.read(asyncio.sleep(60), 60))
    await asyncio.sleep(0)
    await uploads.open("polite").grow(50)
    with pytest.raises(Overloaded):
        await asyncio.wait_for(reading, 5)


async def test_time_is_bounded() -> None:
    """A body that does not come is given up."""
    with pytest.raises(UploadTimeout, match=r"0\.01 s"):
        await Uploads(100).open("one").read(asyncio.sleep(60), 0.01)


async def test_growth_waits_for_room() -> None:
    """A stream's picture waits, within its deadline, for others that hold less, and none gives way to it."""
    uploads = Uploads(100)
    first, second, third = uploads.open("one"), uploads.open("two", is_counted=False), uploads.open("two")
    await first.grow(40)
    await third.grow(50)
    with pytest.raises(DeadlineExceeded):
        await second.grow(20, Deadline(0.01))
    growing = asyncio.create_task(second.grow(20, Deadline(10)))
    await asyncio.sleep(0)
    uploads.forget(first)
    await growing
    assert uploads.held_bytes == 70 and not (first.has_given_way or third.has_given_way)


async def test_unfinished_messages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that send nothing give way to new ones: of whoever has most, the oldest."""
    monkeypatch.setattr(module, "resident_bytes", lambda: 0)
    monkeypatch.setattr(module, "MOST_UNFINISHED", 4)
    uploads = Uploads(100)
    idle = [uploads.open(name, is_counted=False) for name in ("many", "few", "many", "many", "many")]
    waiting = [asyncio.create_task(one.receive(lambda: asyncio.sleep(60), 60)) for one in idle]
    assert await asyncio.wait_for(uploads.open("few", is_counted=False).receive(lambda: asyncio.sleep(0, "it"), 60), 5)
    assert [one.has_given_way for one in idle] == [True, False, True, False, False]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
