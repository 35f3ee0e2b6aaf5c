"""What the merger keeps of pictures for drift to be seen: counts by hour, in bounded memory, on its admin port."""

import json
from array import array
from typing import Any

import pytest

from schema import names
from schema.model_card import ModelCard
from serving.merger.core.release import make_release
from serving.merger.core.seen import HOUR_S, MOST_HOURS, Seen
from serving.merger.models.messages import ModelScores
from serving.stubs.tensorflow.core.framework import types_pb2
from tests import tiny_models
from tests.serving.fake_model_server import FAMILIARITY, FakeModelServer
from tests.serving.merger_process import MergerProcess, until

JPEG = {"content-type": "image/jpeg"}
SURE = 0.94


def histograms(document: dict[str, Any]) -> None:
    """Gives a card what eval was like; the article type's also a look."""
    counts = {head: [3] * len(one["labels"]) for head, one in document["heads"].items()}
    numbers = {f"{head}_confidence": {"edges": [0.5], "counts": [1, 9], "more_is_usual": True} for head in counts}
    looks = []
    if document["model"] == names.ARTICLE_TYPE:
        looks = ["brightness"]
        numbers["brightness"] = {"edges": [0.25, 0.75], "counts": [2, 5, 3], "more_is_usual": False}
        numbers["familiarity"] = {"edges": [0.5], "counts": [1, 9], "more_is_usual": True}
        document["familiarity"] = FAMILIARITY
    document["eval_histograms"] = {"labels": counts, "numbers": numbers, "looks": looks}


def told(reply: Any, brightness: float = 0.9) -> None:
    """Has a model's reply tell its looks too."""
    if reply.model_spec.name == names.ARTICLE_TYPE:
        count = reply.outputs[names.IMAGE_OK].tensor_shape.dim[0].size
        tensor = reply.outputs[names.LOOKS]
        tensor.dtype = types_pb2.DT_FLOAT
        for size in (count, 1):
            tensor.tensor_shape.dim.add(size=size)
        tensor.tensor_content = array("f", [brightness] * count).tobytes()


async def keeping(running: MergerProcess, fake: FakeModelServer, version: int) -> None:
    for model in fake.models.values():
        model.card, model.spoil = histograms, told
    fake.models[names.ARTICLE_TYPE].familiarity = 0.25
    fake.serve_versions(version)
    await running.ready(release=version)


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_is_counted(running: MergerProcess, fake: FakeModelServer) -> None:
    """Each picture is counted once by its best labels, by how sure they are, how familiar it is and how it looks, and
    the same page has what eval was like; a file that is no picture counts nowhere."""
    await keeping(running, fake, 7)
    red = tiny_models.picture("red")
    for content in (red, red, b"no picture"):
        await running.http.post("/v1/classify", content=content, headers=JPEG)
    document = (await running.admin.get("/seen")).json()
    [merger] = document["mergers"]
    [row] = [row for row in merger["hours"] if row["release"] == "7"]
    best = tiny_models.expected("red", 7)
    for head, label in best.items():
        bins = merger["eval"]["7"][head]
        assert bins["kind"] == "label" and bins["counts"] == [3] * len(bins["bins"])
        assert row["counts"][head] == [2 * (one == label) for one in bins["bins"]]
        assert row["counts"][f"{head}_confidence"] == [0, 2]
    assert row["counts"]["familiarity"] == [2, 0]
    assert row["counts"]["brightness"] == [0, 0, 2]
    assert merger["eval"]["7"]["brightness"]["bins"] == ["< 0.25", "0.25 to 0.75", "≥ 0.75"]


@pytest.mark.asyncio(loop_scope="module")
async def test_prometheus_can_compare(running: MergerProcess, fake: FakeModelServer) -> None:
    """Metrics have the counts and eval's shares by the same labels; a bin in which nothing is strange has no share."""
    await keeping(running, fake, 8)
    await running.http.post("/v1/classify", content=tiny_models.picture("red"), headers=JPEG)
    label = tiny_models.expected("red", 8)["article_type"]

    async def counted() -> str | None:
        text = (await running.admin.get("/metrics")).text
        line = f'lookbook_seen_total{{bin="{label}",measure="article_type",release="8"}} 1.0'
        return text if line in text else None

    text = await until(counted)
    assert 'lookbook_eval_share{bin="< 0.25",measure="brightness",release="8"} 0.2' in text
    assert 'lookbook_eval_share{bin="< 0.5",measure="familiarity",release="8"} 0.1' in text
    assert 'lookbook_eval_share{bin="≥ 0.5",measure="familiarity"' not in text
    assert 'lookbook_eval_pictures{measure="brightness",release="8"} 10.0' in text


@pytest.mark.asyncio(loop_scope="module")
async def test_nonsense(running: MergerProcess, fake: FakeModelServer) -> None:
    """A model that promises its looks and sends none, or no numbers, has failed."""
    for spoil in (lambda reply: None, lambda reply: told(reply, float("nan"))):
        await keeping(running, fake, 9)
        fake.models[names.ARTICLE_TYPE].spoil = spoil
        reply = await running.http.post("/v1/classify", content=tiny_models.picture("red"), headers=JPEG)
        assert (reply.json()["code"], reply.json()["model"]) == ("model_failed", "article_type")


@pytest.mark.asyncio(loop_scope="module")
async def test_an_old_release(running: MergerProcess, fake: FakeModelServer) -> None:
    """A release from before answers as ever and is not counted."""
    fake.serve_versions(3)
    await running.ready(release=3)
    reply = await running.http.post("/v1/classify", content=tiny_models.picture("red"), headers=JPEG)
    assert reply.status_code == 200
    [merger] = (await running.admin.get("/seen")).json()["mergers"]
    assert "3" not in {row["release"] for row in merger["hours"]}


def release_of(version: int, shift: int = 0) -> Any:
    """A release whose cards keep histograms."""
    cards = {}
    for model in (names.ARTICLE_TYPE, names.CATEGORY):
        document = json.loads(tiny_models.make_card(model, (), profile="fake").to_json())
        histograms(document)
        document["eval_histograms"]["looks"] = []
        document["training"]["shift"] = shift
        cards[model] = ModelCard.from_json(json.dumps(document))
    return make_release(version, cards, {})


def scores_of(release: Any) -> list[ModelScores]:
    return [
        ModelScores(
            {head: [array("f", [1.0] + [0.0] * (len(one.labels) - 1))] for head, one in card.heads.items()}, [True], 0
        )
        for card in release.cards.values()
    ]


def test_memory_is_bounded() -> None:
    """However long a merger runs and however many releases it sees, it keeps the newest hours and their releases."""
    now = [0.0]
    seen = Seen(lambda: now[0])
    for hour in range(3 * MOST_HOURS):
        now[0] = hour * HOUR_S
        release = release_of(1 + hour // 10)
        seen.add(release, scores_of(release))
    [merger] = seen.as_json()["mergers"]
    assert len(merger["hours"]) == MOST_HOURS
    assert merger["hours"][-1]["hour"] == "1970-01-09T23:00:00Z"
    assert set(merger["eval"]) == {row["release"] for row in merger["hours"]} == set(map(str, seen.totals))


def test_another_model_under_the_same_number_begins_anew() -> None:
    """Counts of a model that is gone are not mixed with those of another that came under its number."""
    seen = Seen(lambda: 0.0)
    for release in (release_of(1), release_of(1), release_of(1, shift=1)):
        seen.add(release, scores_of(release))
    [merger] = seen.as_json()["mergers"]
    assert [sum(row["counts"]["article_type"]) for row in merger["hours"]] == [1]


def test_a_release_that_lacks_a_model_is_not_counted() -> None:
    """What one model says alone would look like drift of what the other tells."""
    whole = release_of(1)
    half = make_release(1, {names.ARTICLE_TYPE: whole.cards[names.ARTICLE_TYPE]}, {names.CATEGORY: "away"})
    seen = Seen(lambda: 0.0)
    seen.add(whole, scores_of(whole))
    seen.add(half, scores_of(half))
    [merger] = seen.as_json()["mergers"]
    assert [sum(row["counts"]["article_type"]) for row in merger["hours"]] == [1]
