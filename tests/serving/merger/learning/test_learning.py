"""Decisions count at once: the next picture like it is answered right, nothing else changes, and undo takes it back."""

from pathlib import Path
from typing import Any

import pytest

from schema import names
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.review.test_review import ask, classify
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PURE, PINKISH = (255, 0, 0), (235, 30, 30)
"""Both are red to the model, which takes them for watches; in the tests the second is a shirt."""
WATCHES = tiny_models.expected("red", 1)[names.ARTICLE_TYPE]


def picture(*rgb: int) -> bytes:
    return tiny_models.picture(f"#{rgb[0]:02x}{rgb[1]:02x}{rgb[2]:02x}")


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """What an answer says of the picture, without the circumstances of the call."""
    left_out = ("request_id", "timings", "correction_share", "corrections_version")
    return {key: value for key, value in answer.items() if key not in left_out}


def remembering(fake: FakeModelServer) -> str:
    """Address of models that corrections can join, and to which every picture is familiar."""
    fake.models[names.ARTICLE_TYPE].remembers = True
    fake.models[names.ARTICLE_TYPE].familiarity = 0.9
    return fake.target


async def decide(running: MergerProcess, fake: FakeModelServer, data: bytes, **said: Any) -> int:
    """Asks about a picture, which for once is unfamiliar, and decides about the answer; the decision's version."""
    # An unsure answer would do until corrections of pictures like it have made it sure.
    fake.models[names.ARTICLE_TYPE].familiarity = 0.1
    await classify(running, data)
    fake.models[names.ARTICLE_TYPE].familiarity = 0.9
    card = await until(lambda: claimed(running))
    decided = await ask(running, f"cards/{card['id']}/decision", {"lease": card["lease"], **said})
    return int(decided["version"])


async def claimed(running: MergerProcess) -> dict[str, Any] | None:
    reply = await running.http.post("/v1/review/claim", json={})
    return reply.json()["card"] if reply.status_code == 200 else None


async def correct(running: MergerProcess, fake: FakeModelServer, data: bytes, label: str = "Shirts") -> int:
    return await decide(running, fake, data, decision="corrected", article_type=label)


async def learnt(running: MergerProcess, version: int) -> dict[str, Any]:
    """Waits until the merger has read all decisions up to that one; what it says of its corrections."""

    async def read() -> dict[str, Any] | None:
        found: dict[str, Any] = (await running.admin.get("/readyz")).json()["corrections"]
        return found if found["version"] >= version else None

    found: dict[str, Any] = await until(read)
    return found


async def test_the_next_picture_like_it_is_answered_right(fake: FakeModelServer, tmp_path: Path) -> None:
    """By REST and gRPC, with the corrections' share and version in it; undone, each answer is what it was before."""
    async with merger(tmp_path, remembering(fake), review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        like, unlike = picture(233, 31, 29), picture(*PURE)
        before = [await classify(running, one) for one in (like, unlike)]
        assert [one["path"][-1] for one in before] == [WATCHES] * 2 and before[0]["correction_share"] is None
        assert set(fake.models[names.ARTICLE_TYPE].signatures) == {names.SCORES}
        version = await correct(running, fake, picture(*PINKISH))
        assert (await learnt(running, version))["images"] == 1
        after = [await classify(running, one) for one in (like, unlike)]
        assert (after[0]["path"][-1], after[0]["joint"]["article_type"]) == ("Shirts", "Shirts")
        assert 0.8 < after[0]["correction_share"] <= 0.9 and after[0]["corrections_version"] == version
        by_grpc = as_json(await running.stub.Classify(pb.ClassifyRequest(image=like)))
        assert told(by_grpc) == told(after[0])
        assert by_grpc["correction_share"] == after[0]["correction_share"]
        assert told(after[1]) == told(before[1]) and after[1]["correction_share"] == 0
        await ask(running, f"decisions/{version}/undo")
        assert (await learnt(running, version + 1))["images"] == 0
        again = [await classify(running, one) for one in (like, unlike)]
        assert [told(one) for one in again] == [told(one) for one in before]
        assert [one["correction_share"] for one in again] == [None, None]


async def test_errors_of_a_class_fall_and_nothing_else_changes(fake: FakeModelServer, tmp_path: Path) -> None:
    """Of shirts that are taken for watches, 20 are corrected: their siblings are then answered right, and of 40 other
    pictures no answer is another, those of the very watches included."""
    shirts = [(230 + 3 * (i % 5), 20 + 4 * (i % 7), 20 + 4 * (i % 4)) for i in range(50)]
    corrections, siblings = [picture(*one) for one in shirts[:20]], [picture(*one) for one in shirts[20:]]
    others = [picture(255 - i % 3, i % 5, i % 4) for i in range(20)]
    others += [tiny_models.picture(colour, width=60 + i) for colour in tiny_models.COLOURS[1:] for i in range(4)]
    async with merger(tmp_path, remembering(fake), review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        before = [await classify(running, one) for one in (*siblings, *others)]
        assert {one["joint"]["article_type"] for one in before[:30]} == {WATCHES}
        versions = [await correct(running, fake, one) for one in corrections]
        assert (await learnt(running, versions[-1]))["images"] == 20
        after = [await classify(running, one) for one in (*siblings, *others)]
        assert sum(one["joint"]["article_type"] != "Shirts" for one in after[:30]) <= 1
        assert [told(one) for one in after[30:]] == [told(one) for one in before[30:]]


async def test_the_oldest_leave_first(fake: FakeModelServer, tmp_path: Path) -> None:
    """With room for one picture the last decision counts; undone, the one before it does again."""
    settings = {"review_store": tmp_path / "review.sqlite", "max_correction_images": 1}
    first, second = picture(200, 0, 0), picture(0, 0, 255)
    async with merger(tmp_path, remembering(fake), **settings) as running:
        await running.ready()
        await correct(running, fake, first, "Watches")
        version = await correct(running, fake, second, "Watches")
        assert (await learnt(running, version))["images"] == 1

        async def corrected() -> list[bool]:
            return [(await classify(running, one))["correction_share"] > 0 for one in (first, second)]

        assert await corrected() == [False, True]
        await ask(running, f"decisions/{version}/undo")
        assert (await learnt(running, version + 1))["images"] == 1
        assert await corrected() == [True, False]


async def test_none_counts_where_none_is_asked_for(fake: FakeModelServer, tmp_path: Path) -> None:
    """With ``max_correction_images=0`` decisions are kept, and answers are as ever."""
    settings = {"review_store": tmp_path / "review.sqlite", "max_correction_images": 0}
    async with merger(tmp_path, remembering(fake), **settings) as running:
        await running.ready()
        await correct(running, fake, picture(*PINKISH))
        assert "corrections" not in (await running.admin.get("/readyz")).json()
        assert (await classify(running, picture(*PINKISH)))["correction_share"] is None
        assert set(fake.models[names.ARTICLE_TYPE].signatures) == {names.SCORES}


async def test_two_mergers_over_one_store_come_to_the_same(fake: FakeModelServer, tmp_path: Path) -> None:
    """A decision at one counts at the other, an undo there counts here, and both tell the same version."""
    store, like = tmp_path / "review.sqlite", picture(233, 31, 29)
    (tmp_path / "two").mkdir()
    target = remembering(fake)
    async with (
        merger(tmp_path, target, review_store=store) as one,
        merger(tmp_path / "two", target, review_store=store) as two,
    ):
        await one.ready()
        await two.ready()
        version = await correct(one, fake, picture(*PINKISH))
        assert await learnt(one, version) == await learnt(two, version)
        answers = [await classify(running, like) for running in (one, two)]
        assert told(answers[0]) == told(answers[1]) and answers[0]["joint"]["article_type"] == "Shirts"
        await ask(two, f"decisions/{version}/undo")
        assert (await learnt(one, version + 1))["images"] == (await learnt(two, version + 1))["images"] == 0


async def test_names_and_corrections_go_together(fake: FakeModelServer, tmp_path: Path) -> None:
    """A picture with a name is corrected as well, and its name is still heard; one without has none in its answer."""
    for model in fake.models.values():
        model.hears = True
    async with merger(tmp_path, remembering(fake), review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        await learnt(running, await correct(running, fake, picture(*PINKISH)))
        like = picture(233, 31, 29)
        named = await running.stub.Classify(pb.ClassifyRequest(image=like, name="red thing"))
        plain = await running.stub.Classify(pb.ClassifyRequest(image=like))
        assert {named.joint.article_type, plain.joint.article_type} == {"Shirts"}
        assert named.name.heard and not plain.HasField("name")
        assert named.correction_share == plain.correction_share > 0.8


async def test_what_was_accepted_counts_and_what_is_unknown_does_not(fake: FakeModelServer, tmp_path: Path) -> None:
    """That an answer was right is worth as much as that it was not; "unknown" and a new label say nothing here."""
    async with merger(tmp_path, remembering(fake), review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        await decide(running, fake, picture(0, 0, 255), decision="unknown")
        await decide(running, fake, picture(0, 255, 0), decision="new_label", article_type="Clogs")
        version = await decide(running, fake, picture(*PINKISH), decision="accepted")
        assert (await learnt(running, version))["images"] == 1
        answers = [await classify(running, picture(*one)) for one in (PINKISH, (0, 0, 255), (0, 255, 0))]
        assert [one["correction_share"] > 0 for one in answers] == [True, False, False]
        assert answers[0]["joint"]["article_type"] == WATCHES
