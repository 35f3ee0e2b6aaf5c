"""Where a release's models share features, one looks at the picture and the other answers from what it saw."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from schema import names
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.stubs.tensorflow.core.framework import types_pb2
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.test_faults import ask
from tests.serving.merger_process import MergerProcess, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPECTED = tiny_models.expected("red", 3)
GREY = tiny_models.picture("grey")
Code = grpc.StatusCode


async def sharing(running: MergerProcess, fake: FakeModelServer, *, hears: bool = False, **digests: str) -> None:
    """Release 3 shares its features, unless the models' digests say otherwise; the breakers are closed."""
    fake.share(**digests)
    for model in fake.models.values():
        model.hears = hears
    fake.serve_versions(3)
    await running.ready(release=3)

    async def answers() -> bool:
        return (await ask(running)).status_code == 200

    await until(answers)
    for model in fake.models.values():
        model.calls.clear()
        model.signatures.clear()


def asked(fake: FakeModelServer) -> dict[str, set[str]]:
    """Model → the signatures that it was asked for."""
    return {name: set(model.signatures) for name, model in fake.models.items()}


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """What an answer says of the picture, without the circumstances of the call."""
    return {key: value for key, value in answer.items() if key not in ("request_id", "timings")}


async def test_one_network_runs_for_an_answer(running: MergerProcess, fake: FakeModelServer) -> None:
    """The answer is that of a release whose models share nothing, and the category's model sees no picture."""
    fake.serve_versions(3)
    await running.ready(release=3)
    plain = (await ask(running)).json()
    fake.serve_versions(1)
    await running.ready(release=1)
    await sharing(running, fake)
    answer = (await ask(running)).json()
    assert told(answer) == told(plain)
    assert [model.signatures for model in fake.models.values()] == [
        [names.SCORES_WITH_MEMORY],
        [names.SCORES_FROM_FEATURES],
    ]
    assert answer["timings"]["article_type_ms"] is not None and answer["timings"]["category_ms"] is not None


def break_second(reply: Any) -> None:
    """The second of three pictures could not be read."""
    reply.outputs[names.IMAGE_OK].bool_val[1] = False
    width = len(reply.outputs[names.FEATURES].tensor_content) // 3
    content = bytearray(reply.outputs[names.FEATURES].tensor_content)
    content[width : 2 * width] = bytes(width)
    reply.outputs[names.FEATURES].tensor_content = bytes(content)
    reply.outputs[names.VOTERS].int_val[3:6] = [0, 0, 0]
    reply.outputs[names.VOTER_WEIGHTS].float_val[3:6] = [0, 0, 0]


async def test_a_broken_picture_disturbs_no_other(running: MergerProcess, fake: FakeModelServer) -> None:
    """One that the model cannot read is refused as ever; those before and behind it have the answers they get alone."""
    await sharing(running, fake)
    fake.models[names.ARTICLE_TYPE].spoil = break_second
    items = [pb.BatchItem(id=one, image=tiny_models.picture(one)) for one in ("red", "green", "blue")]
    found = as_json(await running.stub.ClassifyBatch(pb.ClassifyBatchRequest(items=items)))["results"]
    fake.models[names.ARTICLE_TYPE].spoil = None
    assert found[1]["error"]["code"] == "image_undecodable"
    for row, colour in ((0, "red"), (2, "blue")):
        alone = as_json(await running.stub.Classify(pb.ClassifyRequest(image=tiny_models.picture(colour))))
        assert told(found[row]["answer"]) == told(alone)
    assert asked(fake)[names.CATEGORY] == {names.SCORES_FROM_FEATURES}


async def test_names_are_heard(running: MergerProcess, fake: FakeModelServer) -> None:
    """Among many callers each name is heard by both models for its own picture, and a picture without has none."""
    await sharing(running, fake, hears=True)
    for model in fake.models.values():
        model.delay_s = 0.05
    given = ["red", "", "blue", ""] * 6
    requests = [pb.ClassifyRequest(image=GREY, name=name) for name in given]
    answers = [as_json(one) for one in await asyncio.gather(*(running.stub.Classify(one) for one in requests))]
    for name, answer in zip(given, answers, strict=True):
        assert (answer["name"] is None) == (not name)
        for level in EXPECTED if name else ():
            assert answer[level]["label"] == tiny_models.expected(name, 3)[level]
    assert max(count for _, count in fake.models[names.CATEGORY].calls) > 1
    assert asked(fake) == {names.ARTICLE_TYPE: {names.SCORES_WITH_MEMORY}, names.CATEGORY: {names.SCORES_FROM_FEATURES}}


@pytest.mark.parametrize("digests", [{"category": "another"}, {"category": ""}, {"article_type": "", "category": ""}])
async def test_others_are_asked_as_before(
    running: MergerProcess, fake: FakeModelServer, digests: dict[str, str]
) -> None:
    """Two models whose features are not the same both look at the picture."""
    await sharing(running, fake, **digests)
    assert {head: (await ask(running)).json()["joint"][head] for head in EXPECTED} == EXPECTED
    assert asked(fake) == {names.ARTICLE_TYPE: {names.SCORES}, names.CATEGORY: {names.SCORES}}


@pytest.mark.parametrize("away", ["fails", "is slow", "is left alone"])
async def test_partial_without_the_one_that_looks(running: MergerProcess, fake: FakeModelServer, away: str) -> None:
    """Whoever would take a part gets it in time: the category's model looks at the picture by itself."""
    await sharing(running, fake)
    model = fake.models[names.ARTICLE_TYPE]
    model.delay_s = 4.0 if away == "is slow" else 0.0
    model.predict_error = None if away == "is slow" else Code.UNAVAILABLE
    for _ in range(20 if away == "is left alone" else 0):
        await ask(running)
    answer = (await ask(running, allow_partial=True, timeout_ms=1000)).json()
    assert (answer["partial"], answer["article_type"], answer["level"]) == (True, None, "sub_category")
    assert answer["path"] == [EXPECTED["master_category"], EXPECTED["sub_category"]]
    assert [one["model"] for one in answer["missing"]] == [names.ARTICLE_TYPE]
    assert asked(fake)[names.CATEGORY] == {names.SCORES}


async def test_whole_or_nothing(running: MergerProcess, fake: FakeModelServer) -> None:
    """Who takes no part is told at once that the first model failed, and the other is not bothered."""
    await sharing(running, fake)
    fake.models[names.ARTICLE_TYPE].predict_error = Code.INTERNAL
    reply = await ask(running)
    assert (reply.status_code, reply.json()["model"]) == (502, names.ARTICLE_TYPE)
    assert not fake.models[names.CATEGORY].calls


async def test_partial_without_the_other(running: MergerProcess, fake: FakeModelServer) -> None:
    """The model that looks answers alone where the one that takes its features is away."""
    await sharing(running, fake)
    fake.models[names.CATEGORY].predict_error = Code.UNAVAILABLE
    answer = (await ask(running, allow_partial=True)).json()
    assert (answer["partial"], answer["sub_category"]) == (True, None)
    assert answer["article_type"]["label"] == EXPECTED["article_type"]
    assert [one["model"] for one in answer["missing"]] == [names.CATEGORY]
    assert (await ask(running)).json()["model"] == names.CATEGORY


def missing(reply: Any) -> None:
    del reply.outputs[names.FEATURES]


def not_numbers(reply: Any) -> None:
    reply.outputs[names.FEATURES].ClearField("tensor_content")
    reply.outputs[names.FEATURES].float_val.extend([0.5, float("nan"), 0.5])


def of_two_pictures(reply: Any) -> None:
    reply.outputs[names.FEATURES].tensor_shape.dim[0].size = 2


def no_voters(reply: Any) -> None:
    reply.outputs[names.VOTERS].tensor_shape.dim[1].size = 0


def voters_of_another_type(reply: Any) -> None:
    reply.outputs[names.VOTERS].dtype = types_pb2.DT_INT64


def fewer_weights(reply: Any) -> None:
    reply.outputs[names.VOTER_WEIGHTS].tensor_shape.dim[1].size = 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (missing, "DT_INVALID[], not DT_FLOAT[1, 1]"),
        (not_numbers, "values that are no numbers"),
        (of_two_pictures, "DT_FLOAT[2, 3], not DT_FLOAT[1, 3]"),
        (no_voters, "DT_INT32[1, 0], not DT_INT32[1, 1]"),
        (voters_of_another_type, "DT_INT64[1, 3], not DT_INT32[1, 3]"),
        (fewer_weights, "DT_FLOAT[1, 2], not DT_FLOAT[1, 3]"),
    ],
)
async def test_nonsense(
    running: MergerProcess, fake: FakeModelServer, spoil: Callable[[Any], None], words: str
) -> None:
    """Features that cannot be right never reach the other model; the answer says whose they are and what is wrong."""
    await sharing(running, fake)
    fake.models[names.ARTICLE_TYPE].spoil = spoil
    reply = await ask(running)
    assert (reply.status_code, reply.json()["code"], reply.json()["model"]) == (502, "model_failed", "article_type")
    assert words in reply.json()["detail"]
    assert not fake.models[names.CATEGORY].calls
