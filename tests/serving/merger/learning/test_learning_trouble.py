"""Where decisions cannot count: an older release, a store or a model that is away. Answers go on and say why."""

import dataclasses
import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import grpc
import pytest

from schema import names
from serving.merger.review.records import Limits, Offered
from serving.merger.review.store import ReviewStore
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.learning.test_learning import PINKISH, WATCHES, correct, learnt, picture, remembering
from tests.serving.merger.review.offering import claimed, heels, offered
from tests.serving.merger.review.test_review import classify
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIKE = picture(233, 31, 29)


async def trouble(running: MergerProcess, words: str) -> dict[str, Any]:
    """Waits until the merger, which is ready all the while, says that its decisions do not count, and why."""

    async def said() -> dict[str, Any] | None:
        reply = await running.admin.get("/readyz")
        assert reply.status_code == 200
        found: dict[str, Any] = reply.json()["corrections"]
        return found if words in found["message"] and not found["available"] else None

    found: dict[str, Any] = await until(said)
    return found


def decided(store: ReviewStore, data: bytes, **labels: str) -> None:
    """Keeps a decision about a picture."""
    one = offered("")
    store.keep([Offered(data, hashlib.sha256(data).hexdigest(), one.answer, "anna", one.at)], Limits(99, 10**8))
    card = claimed(store)
    store.decide(card.id, card.lease, dataclasses.replace(heels(card), labels=labels or tiny_models.expected("blue")))


async def test_an_older_release_serves_on_and_a_newer_one_learns(fake: FakeModelServer, tmp_path: Path) -> None:
    """What was decided while no release could learn counts as soon as one can; where it goes, so do the corrections."""
    target, fake.models[names.ARTICLE_TYPE].remembers = remembering(fake), False
    async with merger(tmp_path, target, review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        await correct(running, fake, picture(*PINKISH))
        await trouble(running, "Release 1 cannot learn at once")
        answer = await classify(running, LIKE)
        assert (answer["joint"]["article_type"], answer["correction_share"]) == (WATCHES, None)
        assert [one["card"]["learns_at_once"] for one in await models(running)] == [False, False]
        remembering(fake)
        fake.serve_versions(7)  # answers as the first does: the weights go round
        await running.ready(release=7)
        assert (await learnt(running, 1))["images"] == 1
        answer = await classify(running, LIKE)
        assert (answer["joint"]["article_type"], answer["release"]) == ("Shirts", "7")
        assert [one["card"]["learns_at_once"] for one in await models(running)] == [True, False]
        fake.models[names.ARTICLE_TYPE].remembers = False
        fake.serve_versions(13)
        await running.ready(release=13)
        await trouble(running, "Release 13 cannot learn at once")
        assert (await classify(running, LIKE))["correction_share"] is None


async def models(running: MergerProcess) -> list[dict[str, Any]]:
    return list((await running.http.get("/v1/models")).json()["models"])


async def test_a_store_that_is_away(fake: FakeModelServer, tmp_path: Path) -> None:
    """Answers come without it, readiness says so, and once it is there its decisions count."""
    store = tmp_path / "later" / "review.sqlite"
    async with merger(tmp_path, remembering(fake), review_store=store) as running:
        await running.ready()
        await trouble(running, "unable to open")
        assert (await classify(running, LIKE))["correction_share"] is None
        store.parent.mkdir()
        made = ReviewStore(str(store))
        made.open()
        decided(made, picture(*PINKISH))
        made.close()
        assert (await learnt(running, 1))["message"] == ""
        assert (await classify(running, LIKE))["joint"]["article_type"] == "Shirts"


async def test_a_locked_store_forgets_nothing(fake: FakeModelServer, tmp_path: Path) -> None:
    """While another process holds it nothing new is learnt, and what was learnt still counts."""
    store = tmp_path / "review.sqlite"
    async with merger(tmp_path, remembering(fake), review_store=store) as running:
        await running.ready()
        await learnt(running, await correct(running, fake, picture(*PINKISH)))
        other = sqlite3.connect(store, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        assert (await classify(running, LIKE))["joint"]["article_type"] == "Shirts"
        other.execute("ROLLBACK")
        other.close()
        await learnt(running, await correct(running, fake, picture(0, 0, 255), "Watches"))


async def test_a_model_that_is_away_is_learnt_from_later(fake: FakeModelServer, tmp_path: Path) -> None:
    """Decisions that it could not place yet count when it is back; nobody has to decide again."""
    store = ReviewStore(str(tmp_path / "review.sqlite"))
    store.open()
    decided(store, picture(*PINKISH))
    store.close()
    fake.models[names.ARTICLE_TYPE].predict_error = grpc.StatusCode.INTERNAL
    async with merger(tmp_path, remembering(fake), review_store=tmp_path / "review.sqlite") as running:
        await trouble(running, "article_type model")
        fake.models[names.ARTICLE_TYPE].predict_error = None
        assert (await learnt(running, 1))["images"] == 1
        assert (await classify(running, LIKE))["joint"]["article_type"] == "Shirts"


async def test_a_picture_that_cannot_be_read_stops_no_other(fake: FakeModelServer, tmp_path: Path) -> None:
    """It is left out with a line in the log, and the later decision of two about one picture is the one that counts."""
    store = ReviewStore(str(tmp_path / "review.sqlite"))
    store.open()
    decided(store, picture(*PINKISH), **tiny_models.expected("green"))
    decided(store, b"no picture")
    with sqlite3.connect(tmp_path / "review.sqlite") as connection:
        connection.execute("UPDATE cards SET release = 'an older one'")
    decided(store, picture(*PINKISH))
    store.close()
    async with merger(tmp_path, remembering(fake), review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        assert (await learnt(running, 3))["images"] == 1
        assert (await classify(running, LIKE))["joint"]["article_type"] == "Shirts"
        (line,) = [line for line in running.lines() if line["message"] == "a decided picture cannot be read"]
        assert line["version"] == 2
        text = (await running.admin.get("/metrics")).text
        assert "lookbook_correction_images 1.0" in text and "lookbook_corrected_answers_total 1.0" in text
