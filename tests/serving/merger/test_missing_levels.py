"""A release of article types alone, over the wire: both models are served, and one of them has nothing to say."""

import functools
from typing import Any

import grpc
import pytest
import pytest_asyncio

from schema import heads as table
from schema import names
from serving.merger.core.merge import LEVELS
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.core.test_missing_levels import documents
from tests.serving.merger_process import MergerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")


def _instead(model: str, document: dict[str, Any]) -> None:
    document.update(documents(names.ARTICLE_TYPE)[model])


@pytest_asyncio.fixture(loop_scope="module")
async def of_types(running: MergerProcess, fake: FakeModelServer) -> MergerProcess:
    """The merger with release 2, whose catalogue had article types alone."""
    for model in table.MODELS:
        fake.models[model].card = functools.partial(_instead, model)
    fake.serve_versions(2)
    await running.ready(release=2)
    return running


async def test_the_other_model_is_not_asked(of_types: MergerProcess, fake: FakeModelServer) -> None:
    """REST and gRPC answer alike, whole and not partial, though the category model would fail every call."""
    fake.models[names.CATEGORY].predict_error = grpc.StatusCode.INTERNAL
    answer = (await of_types.http.post("/v1/classify", content=RED, headers={"content-type": "image/jpeg"})).json()
    reply = as_json(await of_types.stub.Classify(pb.ClassifyRequest(image=RED)))
    assert answer["path"] == reply["path"] == [tiny_models.expected("red", 2)[names.ARTICLE_TYPE]]
    for view in (answer, reply):
        assert [one["level"] for one in view["absent_levels"]] == list(LEVELS[:-1])
        assert (view["partial"], view["missing"], view["sub_category"]) == (False, [], None)
        assert [one["name"] for one in view["models"]] == [names.ARTICLE_TYPE]
    assert fake.models[names.CATEGORY].calls == []


async def test_taxonomy_and_models(of_types: MergerProcess) -> None:
    """What the release can name is listed with null above it; both models are there, one without heads."""
    taxonomy = (await of_types.http.get("/v1/taxonomy")).json()
    assert all(path["master_category"] is path["sub_category"] is None for path in taxonomy["paths"])
    assert taxonomy["labels"]["sub_category"] == [] and len(taxonomy["labels"]["article_type"]) > 1
    models = (await of_types.http.get("/v1/models")).json()
    assert [(one["name"], one["available"], len(one["card"]["heads"])) for one in models["models"]] == [
        (names.ARTICLE_TYPE, True, 1),
        (names.CATEGORY, True, 0),
    ]


async def test_a_level_that_is_not_there_cannot_be_explained(of_types: MergerProcess) -> None:
    """The question is refused with the heads that there are."""
    reply = await of_types.http.post(
        "/v1/explain", params={"head": "sub_category"}, content=RED, headers={"content-type": "image/jpeg"}
    )
    assert reply.status_code == 400
    assert "release 2 has article_type" in reply.json()["detail"]


async def test_without_the_type_s_model_there_is_no_answer(of_types: MergerProcess, fake: FakeModelServer) -> None:
    """A partial answer of nothing is none, also for a caller who would take one."""
    fake.models[names.ARTICLE_TYPE].predict_error = grpc.StatusCode.INTERNAL
    reply = await of_types.http.post(
        "/v1/classify", params={"allow_partial": True}, content=RED, headers={"content-type": "image/jpeg"}
    )
    assert reply.status_code >= 500
    assert reply.json()["model"] == names.ARTICLE_TYPE


async def test_attributes_alone_are_no_answer(of_types: MergerProcess, fake: FakeModelServer) -> None:
    """Where the category model has attributes and no level, they stand beside the type, and do not make up for it."""
    for model in table.MODELS:
        fake.models[model].card = functools.partial(_with_gender, model)
    fake.carry("gender")
    fake.serve_versions(3)
    await of_types.ready(release=3)
    headers = {"content-type": "image/jpeg"}
    answer = (await of_types.http.post("/v1/classify", content=RED, headers=headers)).json()
    assert [one["head"] for one in answer["attributes"]] == ["gender"]
    assert [one["name"] for one in answer["models"]] == list(table.MODELS)
    fake.models[names.ARTICLE_TYPE].predict_error = grpc.StatusCode.INTERNAL
    partial = {"allow_partial": True}
    reply = await of_types.http.post("/v1/classify", params=partial, content=RED, headers=headers)
    assert reply.status_code >= 500 and reply.json()["model"] == names.ARTICLE_TYPE
    fake.models[names.ARTICLE_TYPE].predict_error = None
    fake.models[names.CATEGORY].predict_error = grpc.StatusCode.INTERNAL
    answer = (await of_types.http.post("/v1/classify", params=partial, content=RED, headers=headers)).json()
    assert (answer["partial"], answer["attributes"], len(answer["path"])) == (True, [], 1)
    assert [one["model"] for one in answer["missing"]] == [names.CATEGORY]


def _with_gender(model: str, document: dict[str, Any]) -> None:
    gender = document["heads"].get("gender")
    _instead(model, document)
    if gender:
        document["heads"]["gender"] = gender
