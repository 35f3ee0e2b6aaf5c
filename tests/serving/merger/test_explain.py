"""Explanations: the grid and what is hidden, the heat that comes of it, and the endpoint of a real merger."""

import asyncio
import io
from array import array
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from schema import names
from schema.model_card import HeadCard, ModelCard
from serving.merger.admission.in_flight import Limiter
from serving.merger.core import images
from serving.merger.core.calls import Call
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import GRPC_STATUS, InvalidRequest, ModelUnavailable, Overloaded
from serving.merger.core.images import Inspected, Size
from serving.merger.core.merge import Merger
from serving.merger.core.release import make_release
from serving.merger.explain import MAX_CELLS, Explainer, Grid, Question, hide_cells
from serving.merger.models.messages import ModelScores, ScoresRequest
from serving.merger.models.releases import Candidate
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, until
from tests.serving.pictures import encode
from tests.serving.releases_for_tests import release

SIZE = Size(height=128, width=96)
STEP = 16
PLACES = 16
RED = tiny_models.picture("red")


class RedClient:
    """A model that calls a picture "red" with the share of its upper left quarter that is red."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    async def scores(self, request: ScoresRequest, timeout_s: float) -> ModelScores:
        self.calls.append(len(request.images))
        shares = [self._share(Image.open(io.BytesIO(picture))) for picture in request.images]
        return ModelScores({names.ARTICLE_TYPE: [array("f", [1 - s, s]) for s in shares]}, [True] * len(shares), 0.0)

    @staticmethod
    def _share(image: Image.Image) -> float:
        quarter = image.crop((0, 0, image.width // 2, image.height // 2))
        pixels = np.asarray(quarter)
        return float(np.mean((pixels[..., 0] > 200) & (pixels[..., 1] < 60)))


def candidate() -> Candidate:
    """A release whose article type model knows "other" and "red"."""
    head = HeadCard(("other", "red"), "articleType", level=2)
    card = ModelCard(names.ARTICLE_TYPE, *SIZE, {names.ARTICLE_TYPE: head}, taxonomy=(), joint={})
    alone = make_release(7, {names.ARTICLE_TYPE: card}, {names.CATEGORY: "It is away."})
    return Candidate(alone, Merger(alone))


def inspected(image: Image.Image) -> Inspected:
    return images.inspect(encode(image, "PNG"), 10**7, 10**7)


def red_corner() -> Inspected:
    """White, with red where the model looks."""
    image = Image.new("RGB", (300, 400), "white")
    image.paste((255, 0, 0), (30, 40, 130, 180))
    return inspected(image)


def call(seconds: float = 10.0) -> Call:
    return Call("a-request", "a-caller", Deadline(seconds))


async def explain(client: Any, question: Question, limiter: Limiter | None = None) -> pb.ExplainResponse:
    explainer = Explainer({names.ARTICLE_TYPE: client}, limiter or Limiter(PLACES, 0), STEP)
    return await explainer.explain(red_corner(), question, candidate(), call())


@pytest.mark.parametrize("cells", [4, 12, 48, 96])
@pytest.mark.parametrize("size", [SIZE, Size(16, 12), Size(224, 224), Size(10, 400), Size(400, 2), Size(1, 1)])
def test_grid_is_bounded_and_covers(size: Size, cells: int) -> None:
    """No grid has more cells than asked for, and together the cells hide every pixel."""
    grid = Grid.over(size, cells)
    assert 1 <= grid.rows * grid.columns <= cells
    covered = Image.new("L", (size.width, size.height))
    for window in grid.windows(size):
        assert window[0] < window[2] and window[1] < window[3]
        covered.paste(255, window)
    assert covered.getextrema() == (255, 255)


def test_cells_are_nearly_square() -> None:
    """A grid has the shape of the picture."""
    assert Grid.over(SIZE, 48) == Grid(rows=8, columns=6)


def test_hiding_takes_the_colour_of_the_edge() -> None:
    """Hiding a part of a plain background changes nothing, hiding the product does."""
    first, *hidden = (Image.open(io.BytesIO(one)) for one in hide_cells(red_corner(), SIZE, Grid(4, 3)))
    assert first.size == (SIZE.width, SIZE.height)
    assert hidden[-1].tobytes() == first.tobytes()
    assert hidden[0].tobytes() != first.tobytes()


async def test_heat_is_where_the_model_looks() -> None:
    """The hottest cell lies on what decides, and cells that decide nothing are cold."""
    answer = await explain(RedClient(), Question(names.ARTICLE_TYPE, "red", 48))
    assert (answer.rows, answer.columns, len(answer.heat)) == (8, 6, 48)
    hottest = max(range(48), key=answer.heat.__getitem__)
    assert hottest // 6 in (1, 2) and hottest % 6 in (1, 2)
    assert answer.heat[-1] == 0
    assert answer.heat[hottest] > 0.1
    assert answer.release == "7" and answer.request_id == "a-request"


async def test_other_labels_lose_what_this_one_wins() -> None:
    """Any label can be explained; where hiding makes one likelier its heat is negative."""
    answer = await explain(RedClient(), Question(names.ARTICLE_TYPE, "other", 48))
    assert min(answer.heat) < -0.1 and max(answer.heat) <= 0


async def test_best_label_unless_named() -> None:
    """Without a label the head's best one is explained, by its confidence with nothing hidden."""
    answer = await explain(RedClient(), Question(names.ARTICLE_TYPE, None, 12))
    assert answer.label == "other" and answer.confidence > 0.5


async def test_cost_is_bounded() -> None:
    """However fine the grid, calls are of a bearable size and there are no more pictures than cells and one."""
    client = RedClient()
    await explain(client, Question(names.ARTICLE_TYPE, None, MAX_CELLS))
    assert max(client.calls) <= STEP and sum(client.calls) <= MAX_CELLS + 1


async def test_pictures_take_places() -> None:
    """An explanation counts as pictures do: with all places taken and no queue it is refused, and it gives all back."""
    limiter = Limiter(PLACES, 0)
    async with limiter.places(PLACES, Deadline(1)):
        with pytest.raises(Overloaded):
            await explain(RedClient(), Question(names.ARTICLE_TYPE, None, 48), limiter)
    await explain(RedClient(), Question(names.ARTICLE_TYPE, None, 48), limiter)
    assert limiter.active == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (pb.ExplainOptions(head="gender"), "gender.*article_type, master_category, sub_category"),
        (pb.ExplainOptions(head="master_category", label="Hats"), "'Hats', which master_category cannot give"),
        (pb.ExplainOptions(cells=3), "cells is 3"),
        (pb.ExplainOptions(cells=MAX_CELLS + 1), "cells is 97"),
    ],
)
def test_questions_that_make_no_sense(options: pb.ExplainOptions, word: str) -> None:
    """A wrong question is refused in words that name what was given."""
    with pytest.raises(InvalidRequest, match=word):
        Question.of(options, release())


@pytest.mark.parametrize("head", ["sub_category", "gender"])
def test_questions_about_a_model_that_is_away(head: str) -> None:
    """A head of the model that is away is not unknown: trying again makes sense."""
    with pytest.raises(ModelUnavailable, match="It is away"):
        Question.of(pb.ExplainOptions(head=head), candidate().release)


async def post(running: MergerProcess, image: bytes = RED, **query: Any) -> httpx.Response:
    headers = {"content-type": "image/jpeg"}
    return await running.http.post("/v1/explain", content=image, headers=headers, params=query)


@pytest.mark.asyncio(loop_scope="module")
class TestEndpoint:
    """``POST /v1/explain`` and ``Explain`` of a real merger."""

    async def test_answer(self, running: MergerProcess, fake: FakeModelServer) -> None:
        """Only the model with the head is asked, in calls no larger than a batch's, and the answer fits the grid."""
        reply = await post(running, head="sub_category", cells=24)
        assert reply.status_code == 200, reply.text
        answer = reply.json()
        assert answer["label"] == tiny_models.expected("red", weights=1)["sub_category"]
        assert answer["rows"] * answer["columns"] == len(answer["heat"]) <= 24
        assert answer["release"] == "1" and answer["total_ms"] > 0
        assert fake.models[names.ARTICLE_TYPE].calls == []
        asked = [count for _, count in fake.models[names.CATEGORY].calls]
        assert max(asked) <= 16 and sum(asked) == len(answer["heat"]) + 1

    async def test_same_over_grpc(self, running: MergerProcess, fake: FakeModelServer) -> None:
        """Both transports explain alike."""
        by_rest = (await post(running)).json()
        reply = await running.stub.Explain(pb.ExplainRequest(image=RED))
        assert list(reply.heat) == by_rest["heat"]
        assert (reply.label, reply.rows, reply.columns) == (by_rest["label"], by_rest["rows"], by_rest["columns"])

    @pytest.mark.parametrize(
        ("query", "image", "code"),
        [
            ({"label": "Spaceships"}, RED, "invalid_request"),
            ({"head": "gender"}, RED, "invalid_request"),
            ({"cells": 1000}, RED, "invalid_request"),
            ({}, b"no picture", "image_unsupported"),
            ({}, tiny_models.picture("red", width=600, height=800)[:900], "image_undecodable"),
        ],
    )
    async def test_refusals(
        self, running: MergerProcess, fake: FakeModelServer, query: dict[str, Any], image: bytes, code: str
    ) -> None:
        """What cannot be explained is refused by its code, and no model is asked."""
        reply = await post(running, image, **query)
        assert reply.json()["code"] == code and code in GRPC_STATUS
        assert all(model.calls == [] for model in fake.models.values())

    async def test_gone_client_stops_it(self, running: MergerProcess, fake: FakeModelServer) -> None:
        """When the client hangs up, the calls that were still to come are never made."""
        model = fake.models[names.ARTICLE_TYPE]
        model.delay_s = 0.3
        asking = asyncio.create_task(post(running, cells=MAX_CELLS))
        await until(lambda: model.active)
        asking.cancel()
        await until(lambda: not model.active)
        after = len(model.calls)
        await asyncio.sleep(3 * model.delay_s)  # time in which the next calls would have come
        assert len(model.calls) == after

    async def test_time_is_bounded(self, running: MergerProcess, fake: FakeModelServer) -> None:
        """All calls together share one deadline."""
        fake.models[names.ARTICLE_TYPE].delay_s = 0.2
        reply = await post(running, cells=MAX_CELLS, timeout_ms=300)
        assert reply.json()["code"] == "deadline_exceeded"

    async def test_version_gone_meanwhile(self, running: MergerProcess, fake: FakeModelServer) -> None:
        """An explanation is of one release: when that goes away in between, it is made anew by the other."""
        fake.serve_versions(2)
        reply = await post(running)
        assert reply.status_code == 200 and reply.json()["release"] == "2"
        assert reply.json()["label"] == tiny_models.expected("red", weights=2)["article_type"]
