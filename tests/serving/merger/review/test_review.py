"""The review queue over REST: what needs a look is kept behind the answer's back, one person at a time decides."""

import asyncio
import contextlib
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
BLUE = tiny_models.picture("blue")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def keeping(
    fake_server: FakeModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[MergerProcess, Path]]:
    """A merger with a store on SQLite, and where that is."""
    folder = tmp_path_factory.mktemp("keeping")
    store = folder / "review.sqlite"
    async with merger(folder, fake_server.target, review_store=store, request_timeout_ms=5000) as process:
        await process.ready()
        yield process, store


@pytest_asyncio.fixture(loop_scope="module")
async def reviewing(keeping: tuple[MergerProcess, Path], fake: FakeModelServer) -> MergerProcess:
    """That merger, its store empty, in front of models that are unsure of the article type."""
    running, store = keeping
    fake.models["article_type"].unsure = ("article_type",)
    await queue(running, 0, reason="none")
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        for table in ("reasons", "cards", "pictures", "decisions"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("UPDATE counters SET value = 0")
    return running


async def classify(running: MergerProcess, picture: bytes = RED) -> dict[str, Any]:
    reply = await running.http.post("/v1/classify", content=picture)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


async def queue(running: MergerProcess, count: int, **query: Any) -> dict[str, Any]:
    """The queue, once it has so many cards."""

    async def listed() -> dict[str, Any] | None:
        reply = await running.http.get("/v1/review/cards", params=query)
        assert reply.status_code in (200, 503), reply.text
        found: dict[str, Any] = reply.json()
        return found if reply.status_code == 200 and len(found["cards"]) == count else None

    found: dict[str, Any] = await until(listed)
    return found


async def ask(running: MergerProcess, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    reply = await running.http.post(f"/v1/review/{path}", json=body or {})
    assert reply.status_code == 200, reply.text
    document: dict[str, Any] = reply.json()
    return document


async def claim(running: MergerProcess) -> dict[str, Any]:
    card: dict[str, Any] = (await ask(running, "claim"))["card"]
    return card


def problem(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


async def test_an_answer_that_needs_review_is_kept_as_it_was_sent(reviewing: MergerProcess) -> None:
    """Picture and answer are those of the call, once however often it is sent; an answer that is sure is not kept."""
    answers = [await classify(reviewing) for _ in range(3)]
    found = await queue(reviewing, 1)
    await until(lambda: _has_count(reviewing, 3))
    (card,) = (await queue(reviewing, 1))["cards"]
    assert card["answer"] == answers[0]
    assert (card["sha256"], card["caller"]) == (hashlib.sha256(RED).hexdigest(), "127.0.0.1")
    assert card["reasons"] == ["low_confidence"] and card["lease"] is None
    assert found["counts"]["reasons"] == [{"reason": "low_confidence", "count": 1}]
    picture = await reviewing.http.get(f"/v1/review/cards/{card['id']}/picture")
    assert (picture.content, picture.headers["content-type"]) == (RED, "image/jpeg")
    assert picture.headers["x-content-type-options"] == "nosniff"


async def _has_count(running: MergerProcess, count: int) -> bool:
    return bool((await queue(running, 1))["cards"][0]["count"] == count)


async def test_sure_answers_are_not_kept(reviewing: MergerProcess, fake: FakeModelServer) -> None:
    """What nobody needs to look at is nobody's business."""
    fake.models["article_type"].unsure = ()
    assert not (await classify(reviewing, BLUE))["review"]["needed"]
    fake.models["article_type"].unsure = ("article_type",)
    await classify(reviewing)
    (card,) = (await queue(reviewing, 1))["cards"]
    assert card["sha256"] == hashlib.sha256(RED).hexdigest()


async def test_a_claimed_card_is_decided_undone_and_decided_again(reviewing: MergerProcess) -> None:
    """Each step says who and when; what holds at the end is what the list of decisions has, with the picture."""
    answer = await classify(reviewing)
    await queue(reviewing, 1)
    card = await claim(reviewing)
    assert await claim(reviewing) is None
    joint = answer["joint"]
    right = next(path for path in await _paths(reviewing) if path["article_type"] != joint["article_type"])
    said = {"lease": card["lease"], "decision": "corrected", "article_type": right["article_type"]}
    decided = await ask(reviewing, f"cards/{card['id']}/decision", said)
    assert decided["sub_category"] == right["sub_category"] and decided["decision"] == "corrected"
    assert (decided["by"], decided["release"], decided["answered"]) == ("127.0.0.1", "1", " / ".join(answer["path"]))
    assert (await queue(reviewing, 0))["counts"]["decided"] == 1
    again = (await ask(reviewing, f"decisions/{decided['version']}/undo"))["card"]
    assert again["id"] == card["id"] and again["lease"] != card["lease"]
    last = await ask(reviewing, f"cards/{card['id']}/decision", {"lease": again["lease"], "decision": "accepted"})
    assert {level: last[level] for level in tiny_models.expected("red")} == {
        level: joint[level] for level in tiny_models.expected("red")
    }
    listed = (await reviewing.http.get("/v1/review/decisions", params={"pictures": True})).json()["decisions"]
    assert [(one["version"], one["decision"], one["picture_name"]) for one in listed] == [
        (3, "accepted", f"pictures/{card['sha256']}.jpg")
    ]
    assert listed[0]["picture"] and (await reviewing.http.get("/v1/review/decisions?after=3")).json() == {
        "decisions": []
    }


async def test_whoever_decides_may_say_a_name(reviewing: MergerProcess) -> None:
    """It stands beside the decision, as typed; the newest decisions can be asked for first."""
    for colour in tiny_models.COLOURS[:3]:
        await classify(reviewing, tiny_models.picture(colour))
    await queue(reviewing, 3)
    for name in ("Anna", "<b>Bo</b>", "  "):
        card = await claim(reviewing)
        said = {"lease": card["lease"], "decision": "unknown", "name": name}
        await ask(reviewing, f"cards/{card['id']}/decision", said)
    reply = await reviewing.http.get("/v1/review/decisions", params={"newest": True, "limit": 2})
    assert [one["by"] for one in reply.json()["decisions"]] == ["127.0.0.1", "<b>Bo</b>"]


async def _paths(running: MergerProcess) -> list[dict[str, Any]]:
    return list((await running.http.get("/v1/taxonomy")).json()["paths"])


async def test_a_label_that_the_release_does_not_know_is_offered_as_new(reviewing: MergerProcess) -> None:
    """It is kept apart; what the release knows is no new label, and what it does not know is no correction."""
    await classify(reviewing)
    await queue(reviewing, 1)
    card = await claim(reviewing)
    address = f"/v1/review/cards/{card['id']}/decision"
    known = (await _paths(reviewing))[0]["article_type"]

    async def refused(**said: Any) -> str:
        reply = await reviewing.http.post(address, json={"lease": card["lease"], **said})
        assert problem(reply) == (400, "invalid_request")
        return str(reply.json()["detail"])

    assert "does not know 'Clogs'" in await refused(decision="corrected", article_type="Clogs")
    assert "knows" in await refused(decision="new_label", article_type=known)
    assert "no article_type says" in await refused(decision="corrected")
    assert "takes no labels" in await refused(decision="accepted", article_type=known)
    assert "must be one of" in await refused(decision="perhaps")
    assert "one line" in await refused(decision="new_label", article_type="two\nlines")
    assert "one line" in await refused(decision="new_label", article_type="x" * 101)
    assert "knows no gender" in await refused(
        decision="corrected", article_type=known, attributes=[{"column": "gender", "label": "Men"}]
    )
    said = {"lease": card["lease"], "decision": "new_label", "article_type": " Clogs "}
    decided = await ask(reviewing, f"cards/{card['id']}/decision", said)
    assert (decided["decision"], decided["article_type"], decided["sub_category"]) == ("new_label", "Clogs", None)


async def test_wrong_requests_are_refused_in_words(reviewing: MergerProcess) -> None:
    """No body of another kind, no other field, no other order, no card that is not there or somebody else's."""
    await classify(reviewing)
    (card,) = (await queue(reviewing, 1))["cards"]
    post, decision = reviewing.http.post, f"/v1/review/cards/{card['id']}/decision"
    assert problem(await post("/v1/review/claim", content=b"{}")) == (400, "invalid_request")
    assert problem(await post("/v1/review/claim", json={"order": "by name"})) == (400, "invalid_request")
    assert problem(await post("/v1/review/claim", json={"reasons": "x"})) == (400, "invalid_request")
    assert problem(await post("/v1/review/claim", json=[])) == (400, "invalid_request")
    for body in (b"[" * 10_000, b'{"reason": "\\ud800"}', b'{"reason": 7}', b"\xff"):
        reply = await post("/v1/review/claim", content=body, headers={"content-type": "application/json"})
        assert problem(reply) == (400, "invalid_request"), body[:30]
    assert problem(await post("/v1/review/claim", json={"reason": "x" * 20_000})) == (413, "request_too_large")
    assert problem(await post(decision, json={"lease": "x", "decision": "unknown"})) == (409, "review_conflict")
    assert problem(await post(decision, json={"decision": "unknown"})) == (409, "review_conflict")
    nobody = {"lease": "x", "decision": "unknown"}
    assert problem(await post("/v1/review/cards/99/decision", json=nobody)) == (404, "not_found")
    assert problem(await post("/v1/review/decisions/99/undo", json={})) == (404, "not_found")
    assert problem(await post("/v1/review/decisions/99/undo")) == (400, "invalid_request")
    for name in ("two\nlines", "x" * 61):
        reply = await post(decision, json={**nobody, "name": name})
        assert problem(reply) == (400, "invalid_request") and "at most 60" in reply.json()["detail"]
    assert problem(await reviewing.http.get("/v1/review/cards/99/picture")) == (404, "not_found")
    assert problem(await reviewing.http.get("/v1/review/cards/0/picture")) == (400, "invalid_request")
    assert problem(await reviewing.http.get("/v1/review/cards?order=x")) == (400, "invalid_request")


UNCLEAR = {
    "a field twice": ('{"lease": "a", "lease": "b"}', "“lease” is there 2 times"),
    "by both of its names": ('{"articleType": "Shirts", "article_type": "Jeans"}', "“article_type” is there 2 times"),
    "half a surrogate pair": ('{"\\ud800": 1}', "“\\ud800”"),
    "a character that no store keeps": ('{"name": "a\\u0000"}', "name holds the character NUL"),
}


@pytest.mark.parametrize(("body", "words"), UNCLEAR.values(), ids=list(UNCLEAR))
async def test_unclear_decisions_are_refused(reviewing: MergerProcess, body: str, words: str) -> None:
    """A body that says two things, or what cannot be kept, decides nothing, and the refusal names what is wrong."""
    said = {"content-type": "application/json"}
    reply = await reviewing.http.post("/v1/review/cards/1/decision", content=body, headers=said)
    assert problem(reply) == (400, "invalid_request") and words in reply.json()["detail"]


async def test_a_card_can_be_given_back_and_removed(reviewing: MergerProcess) -> None:
    """Given back it is anybody's at once; removed, its picture is gone."""
    await classify(reviewing)
    await queue(reviewing, 1)
    card = await claim(reviewing)
    counts = await ask(reviewing, f"cards/{card['id']}/give-back", {"lease": card["lease"]})
    assert counts["leased"] == 0
    again = await claim(reviewing)
    assert again["id"] == card["id"]
    gone = await reviewing.http.delete(f"/v1/review/cards/{card['id']}")
    assert gone.status_code == 200 and gone.json()["open"] == 0
    assert problem(await reviewing.http.get(f"/v1/review/cards/{card['id']}/picture")) == (404, "not_found")
    assert problem(await reviewing.http.delete(f"/v1/review/cards/{card['id']}")) == (404, "not_found")


async def test_people_at_once_never_get_the_same_card(reviewing: MergerProcess, fake: FakeModelServer) -> None:
    """Ten claims at the same moment over five cards give each once."""
    for colour in tiny_models.COLOURS[:5]:
        await classify(reviewing, tiny_models.picture(colour))
    await queue(reviewing, 5)
    cards = await asyncio.gather(*(claim(reviewing) for _ in range(10)))
    given = sorted(card["id"] for card in cards if card)
    assert given == sorted(card["id"] for card in (await queue(reviewing, 5))["cards"])


async def test_it_is_off_without_a_store(running: MergerProcess) -> None:
    """Every address of it says so, and what it would be turned on by."""
    for method, path in (("GET", "cards"), ("POST", "claim"), ("GET", "decisions"), ("DELETE", "cards/1")):
        reply = await running.http.request(method, f"/v1/review/{path}", json={} if method == "POST" else None)
        assert problem(reply) == (501, "review_off")
        assert "LOOKBOOK_REVIEW_STORE is not set" in reply.json()["detail"]
    assert "review" not in (await running.admin.get("/readyz")).json()
    assert "lookbook_review_store_up" not in (await running.admin.get("/metrics")).text


async def test_only_reviewers_see_what_others_sent(
    fake: FakeModelServer, fake_server: FakeModelServer, tmp_path: Path
) -> None:
    """Of those with keys the named ones may; the answer is kept under its caller's name, the decision under theirs."""
    keys = tmp_path / "keys"
    keys.write_text("shop key-of-the-shop-1234\nanna key-of-anna-12345678\n")
    fake.models["article_type"].unsure = ("article_type",)
    settings = {"api_keys_file": keys, "review_store": tmp_path / "review.sqlite", "reviewers": "anna, berta"}
    async with merger(tmp_path, fake_server.target, **settings) as running:
        await running.ready()
        shop, anna = {"x-api-key": "key-of-the-shop-1234"}, {"x-api-key": "key-of-anna-12345678"}
        assert problem(await running.http.get("/v1/review/cards")) == (401, "unauthenticated")
        assert problem(await running.http.get("/v1/review/cards", headers=shop)) == (403, "forbidden")
        assert (await running.http.post("/v1/classify", content=RED, headers=shop)).status_code == 200
        running.http.headers.update(anna)
        (card,) = (await queue(running, 1))["cards"]
        assert card["caller"] == "shop"
        card = await claim(running)
        said = {"lease": card["lease"], "decision": "unknown"}
        decided = await ask(running, f"cards/{card['id']}/decision", said)
        assert decided["by"] == "anna"
        card = (await ask(running, f"decisions/{decided['version']}/undo", {"name": "berta"}))["card"]
        said = {"lease": card["lease"], "decision": "unknown", "name": "berta"}
        assert (await ask(running, f"cards/{card['id']}/decision", said))["by"] == "berta (anna)"
    assert "key-of" not in (tmp_path / "merger.log").read_text()
    assert b"key-of" not in (tmp_path / "review.sqlite").read_bytes()
