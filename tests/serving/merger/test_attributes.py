"""Heads outside the taxonomy, through a real merger: the card alone says that they are there."""

from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from schema import names
from schema.heads import Head
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
ATTRIBUTES = ("pattern", "gender")
"""One that the table of heads lacks, and one that it has; in an order of their own."""


@pytest_asyncio.fixture(loop_scope="module")
async def carried(running: MergerProcess, fake: FakeModelServer) -> MergerProcess:
    """The merger with release 2, which has the attributes."""
    fake.carry(*ATTRIBUTES)
    fake.serve_versions(2)
    await running.ready(release=2)
    return running


async def post(running: MergerProcess, address: str, image: bytes = RED, **query: Any) -> httpx.Response:
    return await running.http.post(address, content=image, headers={"content-type": "image/jpeg"}, params=query)


async def test_answer(carried: MergerProcess) -> None:
    """Each attribute has its label, confidence and best labels, in the order of the card, over both transports."""
    answer = (await post(carried, "/v1/classify", top_k=2)).json()
    expected = tiny_models.expected("red", 2, ATTRIBUTES)
    assert [one["head"] for one in answer["attributes"]] == list(ATTRIBUTES)
    for one in answer["attributes"]:
        assert (one["label"], one["confidence"], one["review"]) == (expected[one["head"]], 0.94, None)
        assert one["column"] == one["head"]
        assert len(one["top_k"]) == 2 and one["top_k"][0] == {"label": one["label"], "confidence": 0.94}
    reply = await carried.stub.Classify(pb.ClassifyRequest(image=RED, options=pb.ClassifyOptions(top_k=2)))
    assert [as_json(one) for one in reply.attributes] == answer["attributes"]


async def test_unsure_attribute_needs_no_review(carried: MergerProcess, fake: FakeModelServer) -> None:
    """An attribute that the model is unsure of says so itself; the answer goes to nobody for it."""
    fake.models["category"].unsure = ("gender",)
    answer = (await post(carried, "/v1/classify")).json()
    pattern, gender = answer["attributes"]
    assert (answer["review"], pattern["review"]) == ({"needed": False, "reasons": []}, None)
    assert (gender["review"]["code"], gender["review"]["head"]) == ("low_confidence", "gender")
    assert gender["review"]["confidence"] < gender["review"]["threshold"] == 0.6


async def test_partial(carried: MergerProcess, fake: FakeModelServer) -> None:
    """Without the model that carries them there are no attributes, and with it alone there are."""
    fake.models["category"].predict_error = grpc.StatusCode.INTERNAL
    answer = (await post(carried, "/v1/classify", allow_partial=True)).json()
    assert (answer["partial"], answer["attributes"]) == (True, [])
    fake.models["category"].predict_error = None
    fake.models["article_type"].predict_error = grpc.StatusCode.INTERNAL
    answer = (await post(carried, "/v1/classify", allow_partial=True)).json()
    assert (answer["partial"], [one["head"] for one in answer["attributes"]]) == (True, list(ATTRIBUTES))


async def test_either_model_may_carry_one(running: MergerProcess, fake: FakeModelServer) -> None:
    """An attribute need not be the category model's."""
    fake.carry("gender", Head("sleeve", "sleeveLength", names.ARTICLE_TYPE))
    fake.serve_versions(3)
    await running.ready(release=3)
    answer = (await post(running, "/v1/classify")).json()
    assert [one["head"] for one in answer["attributes"]] == ["sleeve", "gender"]
    assert answer["attributes"][0]["label"] == tiny_models.expected("red", 3, ["sleeve"])["sleeve"]


async def test_taxonomy(running: MergerProcess, fake: FakeModelServer) -> None:
    """Every attribute is listed with its column and labels, and a page that knew the release before is told anew."""
    before = await running.http.get("/v1/taxonomy")
    assert before.json()["attributes"] == []
    fake.carry(*ATTRIBUTES)
    fake.serve_versions(2)
    await running.ready(release=2)
    after = await running.http.get("/v1/taxonomy", headers={"if-none-match": before.headers["etag"]})
    assert after.json()["attributes"] == [
        {"head": head, "column": head, "labels": tiny_models.head_labels(head)} for head in ATTRIBUTES
    ]
    assert set(after.json()["labels"]) == {"article_type", "sub_category", "master_category"}


async def test_tag_follows_what_is_known(running: MergerProcess, fake: FakeModelServer) -> None:
    """While a model is away its labels are missing: once it is back, nobody is told that nothing has changed."""
    whole = await running.http.get("/v1/taxonomy")
    fake.models["category"].versions = {}
    await running.ready("degraded")
    less = await running.http.get("/v1/taxonomy", headers={"if-none-match": whole.headers["etag"]})
    assert (less.status_code, less.json()["release"], less.json()["labels"]["sub_category"]) == (200, "1", [])


async def test_models(carried: MergerProcess) -> None:
    """The card shows every head with its column; only those of the taxonomy have a level."""
    _, category = (await carried.http.get("/v1/models")).json()["models"]
    shown = [(head["name"], head["column"], head["level"]) for head in category["card"]["heads"]]
    assert shown == [
        ("master_category", "masterCategory", 0),
        ("sub_category", "subCategory", 1),
        ("pattern", "pattern", None),
        ("gender", "gender", None),
    ]


async def test_explain(carried: MergerProcess, fake: FakeModelServer) -> None:
    """What an attribute rests on can be asked, of its model alone; a label that it cannot give is refused."""
    answer = (await post(carried, "/v1/explain", head="pattern", cells=12)).json()
    assert answer["label"] == tiny_models.expected("red", 2, ["pattern"])["pattern"]
    assert len(answer["heat"]) == answer["rows"] * answer["columns"]
    assert fake.models["article_type"].calls == []
    refused = (await post(carried, "/v1/explain", head="pattern", label="tartan")).json()
    assert refused["code"] == "invalid_request" and "'tartan', which pattern cannot give" in refused["detail"]


async def test_explain_an_attribute_of_another_release(running: MergerProcess, fake: FakeModelServer) -> None:
    """A head that the release lacks is refused with those that it has."""
    refused = (await post(running, "/v1/explain", head="pattern")).json()
    assert refused["code"] == "invalid_request"
    assert refused["detail"] == "head is 'pattern'; release 1 has article_type, master_category, sub_category."
