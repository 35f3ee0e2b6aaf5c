"""A review store that is away, locked, full or too new: classifying goes on, and nothing is lost in silence."""

import resource
import signal
import sqlite3
from pathlib import Path
from typing import Any

import psutil
import pytest

from serving.merger.review.store import ReviewStore
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.review.offering import keep, name_of
from tests.serving.merger.review.test_review import classify, problem, queue
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED, BLUE = tiny_models.picture("red"), tiny_models.picture("blue")


@pytest.fixture
def unsure(fake: FakeModelServer) -> str:
    """Address of models that are unsure of every article type."""
    fake.models["article_type"].unsure = ("article_type",)
    return fake.target


async def told(running: MergerProcess, *, available: bool) -> str:
    """Waits until the merger, which is ready all the while, says so of its store; gives its words."""

    async def said() -> dict[str, Any] | None:
        reply = await running.admin.get("/readyz")
        assert reply.status_code == 200
        review: dict[str, Any] = reply.json()["review"]
        # While it is being opened nobody knows yet.
        return review if review["available"] is available and "being opened" not in review["message"] else None

    return str((await until(said))["message"])


async def metric(running: MergerProcess, name: str) -> float:
    text = (await running.admin.get("/metrics")).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


async def test_a_store_that_is_not_there_yet(unsure: str, tmp_path: Path) -> None:
    """The merger starts and answers without it, says what is missing, and keeps what waited once it is there."""
    store = tmp_path / "later" / "review.sqlite"
    async with merger(tmp_path, unsure, review_store=store) as running:
        await running.ready()
        assert "unable to open" in await told(running, available=False)
        await classify(running)
        reply = await running.http.post("/v1/review/claim", json={})
        assert problem(reply) == (503, "review_unavailable") and "unable to open" in reply.json()["detail"]
        assert reply.headers["retry-after"] == "1"
        assert await metric(running, "lookbook_review_store_up") == 0
        store.parent.mkdir()
        await queue(running, 1)
        assert await told(running, available=True) == ""
        assert await metric(running, "lookbook_review_store_up") == 1


async def test_a_locked_store_loses_no_decision_in_silence(unsure: str, tmp_path: Path) -> None:
    """While another process holds it, answers come as ever and a decision is refused; afterwards both are kept."""
    store = tmp_path / "review.sqlite"
    async with merger(tmp_path, unsure, review_store=store) as running:
        await running.ready()
        await classify(running)
        await queue(running, 1)
        card = (await running.http.post("/v1/review/claim", json={})).json()["card"]
        said = {"lease": card["lease"], "decision": "unknown"}
        address = f"/v1/review/cards/{card['id']}/decision"
        other = sqlite3.connect(store, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        await classify(running, BLUE)
        assert problem(await running.http.post(address, json=said)) == (503, "review_unavailable")
        assert "locked" in await told(running, available=False)
        other.execute("ROLLBACK")
        other.close()
        assert await told(running, available=True) == ""
        assert (await running.http.post(address, json=said)).status_code == 200
        (open_,) = (await queue(running, 1))["cards"]
        assert open_["id"] != card["id"]
        errors = [line for line in running.lines() if line["message"] == "the review store is away"]
        assert len(errors) == 1, "told once, not with every attempt"


async def test_a_full_disk(unsure: str, tmp_path: Path) -> None:
    """What cannot be written waits, and is there when there is room again."""
    async with merger(tmp_path, unsure, review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        await classify(running)
        await queue(running, 1)
        process, plenty = psutil.Process(running.process.pid), resource.RLIM_INFINITY
        process.rlimit(psutil.RLIMIT_FSIZE, ((tmp_path / "review.sqlite-wal").stat().st_size, plenty))
        await classify(running, BLUE)
        assert await told(running, available=False)
        process.rlimit(psutil.RLIMIT_FSIZE, (plenty, plenty))
        await queue(running, 2)
        assert await told(running, available=True) == ""


async def test_a_newer_store_is_left_alone(unsure: str, tmp_path: Path) -> None:
    """An older merger answers as ever and does not touch it."""
    store = tmp_path / "review.sqlite"
    newer = ReviewStore(str(store))
    newer.open()
    newer.close()
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    async with merger(tmp_path, unsure, review_store=store) as running:
        await running.ready()
        assert "of version 9999" in await told(running, available=False)
        await classify(running)
        assert problem(await running.http.get("/v1/review/cards")) == (503, "review_unavailable")
    assert newer.find() == []
    newer.close()


async def test_what_waits_is_written_before_the_end_or_told(unsure: str, tmp_path: Path) -> None:
    """Of an ordered end nothing is lost; where the store is away each lost answer has its line in the log."""
    store = tmp_path / "review.sqlite"
    async with merger(tmp_path, unsure, review_store=store) as running:
        await running.ready()
        await told(running, available=True)
        await classify(running)
        running.process.send_signal(signal.SIGTERM)
        assert await running.process.wait() == 0
    kept = ReviewStore(str(store))
    assert [card.caller for card in kept.find()] == ["127.0.0.1"]
    kept.close()
    async with merger(tmp_path, unsure, review_store=tmp_path / "nowhere" / "review.sqlite") as running:
        await running.ready()
        await told(running, available=False)
        answer = await classify(running)
        running.process.send_signal(signal.SIGTERM)
        assert await running.process.wait() == 0
        (line,) = [line for line in running.lines() if line["message"] == "an answer was not kept for review"]
        assert line["request_id"] == answer["request_id"] and "unable to open" in line["reason"]


async def test_what_is_too_large_for_the_store_is_counted(unsure: str, tmp_path: Path) -> None:
    """It displaces nothing that would fit."""
    limits = {"review_max_bytes": len(RED) - 1}
    async with merger(tmp_path, unsure, review_store=tmp_path / "review.sqlite", **limits) as running:
        await running.ready()
        await classify(running)
        assert await metric(running, 'lookbook_review_answers_total{outcome="too_large"}') == 1
        assert (await queue(running, 0))["counts"]["open"] == 0


async def test_old_cards_go_by_themselves(unsure: str, tmp_path: Path) -> None:
    """A merger that starts removes what nobody touched for the days that were set."""
    store = ReviewStore(str(tmp_path / "review.sqlite"))
    store.open()
    keep(store, "four days", age_s=4 * 86_400)
    keep(store, "two days", age_s=2 * 86_400)
    async with merger(tmp_path, unsure, review_store=tmp_path / "review.sqlite", review_keep_days=3) as running:
        await running.ready()
        await until(lambda: [line for line in running.lines() if "were removed" in line["message"]])
        assert [name_of(store, card) for card in store.find()] == ["two days"]
        assert len((await queue(running, 1))["cards"]) == 1
    store.close()


async def test_a_setting_that_names_no_store_ends_the_start(unsure: str, tmp_path: Path) -> None:
    """In words, and without repeating what may be a password."""
    with pytest.raises(AssertionError, match="LOOKBOOK_REVIEW_STORE names no database") as ended:
        async with merger(tmp_path, unsure, review_store="mysql://root:s3cret@db/review"):
            pass
    assert "s3cret" not in str(ended.value)
