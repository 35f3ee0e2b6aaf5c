"""What REST tells beside answers: taxonomy, models, its own description, headers, metrics."""

import json
import uuid
from typing import Any

import pytest

from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.rest.asking import RED, classify, problem
from tests.serving.merger_process import MergerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_taxonomy(running: MergerProcess, fake: FakeModelServer) -> None:
    """All paths and labels of the release; asked again with its tag, nothing is sent."""
    reply = await running.http.get("/v1/taxonomy")
    taxonomy = reply.json()
    assert {path["article_type"] for path in taxonomy["paths"]} == {p.article_type for p in tiny_models.PRODUCTS}
    assert taxonomy["labels"]["sub_category"] == tiny_models.head_labels("sub_category")
    tag = reply.headers["etag"]
    for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        again = await running.http.get("/v1/taxonomy", headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b""), known
    assert (await running.http.get("/v1/taxonomy", headers={"if-none-match": '"another"'})).status_code == 200


async def test_models(running: MergerProcess, fake: FakeModelServer) -> None:
    """The release, the versions of both models and what travels in their cards."""
    models = (await running.http.get("/v1/models")).json()
    assert (models["release"], models["ready"]) == ("1", True)
    first = models["models"][0]
    assert (first["name"], first["available"], first["message"]) == ("article_type", True, "")
    assert first["versions"] == [{"version": "1", "state": "AVAILABLE", "message": ""}]
    assert first["card"]["image_height"] == tiny_models.HEIGHT
    assert first["card"]["heads"][0]["review_threshold"] == 0.6
    assert json.loads(first["card"]["training_json"]) == {"profile": "fake"}


async def test_router_errors_are_problems(running: MergerProcess, fake: FakeModelServer) -> None:
    """Addresses and methods that do not exist are told in the same form."""
    assert "GET /v1/nothing" in problem(await running.http.get("/v1/nothing"), "not_found")["detail"]
    reply = await running.http.get("/v1/classify")
    problem(reply, "method_not_allowed")
    assert reply.headers["allow"] == "POST"


async def test_headers(running: MergerProcess, fake: FakeModelServer) -> None:
    """Every response, refusals too, is hardened, and answers are not cached."""
    for reply in (await classify(running, RED), await running.http.get("/nothing"), await running.http.get("/docs")):
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "script-src 'self';" in reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "server" not in reply.headers
    assert (await classify(running, RED)).headers["cache-control"] == "no-store"


async def test_description(running: MergerProcess, fake: FakeModelServer) -> None:
    """The API describes itself in the contract's own words, and the page that shows it needs nothing from outside."""
    document = (await running.http.get("/openapi.json")).json()
    assert {"/v1/classify", "/v1/classify:batch", "/v1/taxonomy", "/v1/models"} <= set(document["paths"])
    path = document["components"]["schemas"]["ClassifyResponse"]["properties"]["path"]
    assert path["description"].startswith("The answer to use")
    references = set(_references(document))
    assert references and all(name.rsplit("/", 1)[1] in document["components"]["schemas"] for name in references)
    page = (await running.http.get("/docs")).text
    assert "http:" not in page and "https:" not in page
    for asset in ("docs/assets/swagger-ui-bundle.js", "docs/assets/swagger-ui.css", "docs/start.js"):
        assert asset in page
        assert (await running.http.get(f"/{asset}")).status_code == 200


async def test_operation_ids(running: MergerProcess, fake: FakeModelServer) -> None:
    """Names that generated clients call by: they stay as they are, whatever becomes of paths and endpoints."""
    document = (await running.http.get("/openapi.json")).json()
    names = {
        f"{method} {path}": operation["operationId"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert names == {
        "post /v1/classify": "classify",
        "post /v1/classify:batch": "classify_batch",
        "post /v1/explain": "explain",
        "post /v1/similar": "find_similar",
        "get /v1/taxonomy": "taxonomy",
        "get /v1/models": "models",
        "get /v1/review/cards": "list_review_cards",
        "delete /v1/review/cards/{card_id}": "remove_review_card",
        "get /v1/review/cards/{card_id}/picture": "review_picture",
        "post /v1/review/cards/{card_id}/give-back": "give_back_review_card",
        "post /v1/review/cards/{card_id}/decision": "decide_review_card",
        "post /v1/review/claim": "claim_review_card",
        "post /v1/review/decisions/{version}/undo": "undo_review_decision",
        "get /v1/review/decisions": "list_review_decisions",
        "get /livez": "livez",
        "get /readyz": "readyz",
    }


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


async def test_metrics(running: MergerProcess, fake: FakeModelServer) -> None:
    """What happened is counted, by names that a stranger cannot multiply."""
    await classify(running, RED)
    await running.http.get(f"/{uuid.uuid4().hex}")
    text = (await running.admin.get("/metrics")).text
    assert 'lookbook_images_total{outcome="ok"}' in text
    assert 'lookbook_calls_total{code="ok",method="classify",transport="http"}' in text
    assert 'lookbook_calls_total{code="not_found",method="none",transport="http"}' in text
    assert 'lookbook_model_calls_total{code="OK",model="category"}' in text
    assert "lookbook_images_active 0.0" in text and "lookbook_release 1.0" in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/v1/models", "/v1/taxonomy", "/v1/classify", "/docs", "/openapi.json"]
)
async def test_head(running: MergerProcess, path: str) -> None:
    """HEAD, which monitors and browsers ask, tells what GET would, without a body, and the connection goes on."""
    got, head = [await running.http.request(method, path) for method in ("GET", "HEAD")]
    assert head.content == b""
    same = ("content-type", "content-length", "etag", "allow")
    assert (head.status_code, *map(head.headers.get, same)) == (got.status_code, *map(got.headers.get, same))
    assert (
        (await running.admin.head("/metrics")).status_code == (await running.admin.head("/readyz")).status_code == 200
    )
    assert (await running.http.get("/livez")).json() == {"status": "alive"}
