"""How familiar a picture is, through a real merger: told over both transports, and where it is low asks for a look."""

from array import array
from typing import Any

import grpc
import pytest

from schema import names
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.stubs.tensorflow.core.framework import types_pb2
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
JPEG = {"content-type": "image/jpeg"}


async def answer(running: MergerProcess, fake: FakeModelServer, familiarity: float | None, **query: Any) -> dict:
    fake.models[names.ARTICLE_TYPE].familiarity = familiarity
    fake.serve_versions(2)
    await running.ready(release=2)
    reply = await running.http.post("/v1/classify", content=RED, headers=JPEG, params=query)
    found: dict = reply.json()
    return found


async def test_strange(running: MergerProcess, fake: FakeModelServer) -> None:
    """Below the card's threshold a person is asked for, with the number and what would have been enough, and the path
    stays as it is; over gRPC the same."""
    found = await answer(running, fake, 0.25)
    assert found["familiarity"] == 0.25
    [reason] = found["review"]["reasons"]
    assert (found["review"]["needed"], reason["code"], reason["threshold"]) == (True, "unfamiliar", 0.5)
    assert (reason["head"], reason["confidence"]) == (None, None)
    assert "0.25; 0.50 would have been enough" in reason["message"]
    assert found["path"][-1] == tiny_models.expected("red", 2)["article_type"]
    reply = await running.stub.Classify(pb.ClassifyRequest(image=RED))
    assert reply.familiarity == 0.25
    assert [one.code for one in reply.review.reasons] == ["unfamiliar"]


async def test_familiar(running: MergerProcess, fake: FakeModelServer) -> None:
    """At the threshold nobody needs to look, and the card that says so can be read."""
    found = await answer(running, fake, 0.5)
    assert (found["familiarity"], found["review"]["needed"]) == (0.5, False)
    cards = {one["name"]: one["card"] for one in (await running.http.get("/v1/models")).json()["models"]}
    assert cards["article_type"]["familiarity_threshold"] == 0.5
    assert cards["category"]["familiarity_threshold"] is None


async def test_old_release(running: MergerProcess, fake: FakeModelServer) -> None:
    """A release from before this was known answers as ever; its familiarity is null, not a number."""
    found = await answer(running, fake, None)
    assert (found["familiarity"], found["review"]["needed"]) == (None, False)


async def test_partial(running: MergerProcess, fake: FakeModelServer) -> None:
    """Without the model that tells it there is none, and no false alarm."""
    fake.models[names.ARTICLE_TYPE].predict_error = grpc.StatusCode.INTERNAL
    found = await answer(running, fake, 0.1, allow_partial=True)
    assert (found["partial"], found["familiarity"]) == (True, None)
    assert [reason["code"] for reason in found["review"]["reasons"]] == ["incomplete"]


async def test_batch(running: MergerProcess, fake: FakeModelServer) -> None:
    """Each picture of many has its own."""

    def spoil(reply: Any) -> None:
        count = reply.outputs[names.FAMILIARITY].tensor_shape.dim[0].size
        values = array("f", [0.1 + 0.4 * row for row in range(count)])
        del reply.outputs[names.FAMILIARITY].float_val[:]
        reply.outputs[names.FAMILIARITY].tensor_content = values.tobytes()

    await answer(running, fake, 0.9)
    fake.models[names.ARTICLE_TYPE].spoil = spoil
    items = [pb.BatchItem(image=RED), pb.BatchItem(image=RED)]
    reply = await running.stub.ClassifyBatch(pb.ClassifyBatchRequest(items=items))
    assert [round(one.answer.familiarity, 3) for one in reply.results] == [0.1, 0.5]
    assert [one.answer.review.needed for one in reply.results] == [True, False]


NONSENSE = {
    "missing": lambda reply: reply.outputs.pop(names.FAMILIARITY),
    "no share": lambda reply: reply.outputs[names.FAMILIARITY].float_val.__setitem__(0, 1.5),
    "no number": lambda reply: reply.outputs[names.FAMILIARITY].float_val.__setitem__(0, float("nan")),
    "another type": lambda reply: setattr(reply.outputs[names.FAMILIARITY], "dtype", types_pb2.DT_DOUBLE),
}


@pytest.mark.parametrize("spoil", NONSENSE.values(), ids=list(NONSENSE))
async def test_nonsense(running: MergerProcess, fake: FakeModelServer, spoil: Any) -> None:
    """A model that promises the number and sends none, or no share, has failed; nobody gets an answer from it."""
    await answer(running, fake, 0.9)
    fake.models[names.ARTICLE_TYPE].spoil = spoil
    found = (await running.http.post("/v1/classify", content=RED, headers=JPEG)).json()
    assert (found["code"], found["model"]) == ("model_failed", "article_type"), found
