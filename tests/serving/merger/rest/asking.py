"""Asking over REST, and what every refusal must be."""

from typing import Any

import httpx

from serving.merger.core.errors import HTTP_STATUS
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.merger_process import MergerProcess

JPEG = {"content-type": "image/jpeg"}
RED = tiny_models.picture("red")
GREY = tiny_models.picture("grey")


async def classify(running: MergerProcess, image: bytes, **query: Any) -> httpx.Response:
    return await running.http.post("/v1/classify", content=image, headers=JPEG, params=query)


def problem(reply: httpx.Response, code: str) -> dict[str, Any]:
    """The problem of a refusal, after checking all that every problem must be."""
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    found = reply.json()
    assert (found["code"], reply.status_code, found["status"]) == (code, HTTP_STATUS[code], HTTP_STATUS[code])
    assert found["type"] == f"urn:lookbook:problem:{code}" and found["title"] and found["detail"]
    assert found["request_id"] == reply.headers["x-request-id"]
    assert set(found) == set(as_json(pb.Problem()))
    assert (found["retry_after_s"] is None) == ("retry-after" not in reply.headers)
    return found
