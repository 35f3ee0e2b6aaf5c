"""The description of the REST API: OpenAPI whose schemas and words are those of the .proto, and a page to read it.

The page is Swagger UI out of the fastapi-offline package, served from here: no browser is sent to a CDN.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles

from schema.product_names import MOST_CHARACTERS
from serving.merger.admission.api_keys import API_KEY_HEADER
from serving.merger.core import errors
from serving.merger.core.calls import MAX_TOP_K
from serving.merger.rest.bodies import BINARY, JSON, MULTIPART, RAW_TYPES
from serving.merger.rest.middleware import CONTENT_SECURITY_POLICY
from serving.merger.review.judging import LONGEST_NAME
from serving.proto.lookbook.v1 import classifier_pb2

SCHEMAS: Final = Path(classifier_pb2.__file__).with_name("classifier.schema.json")

FILE: Final = {"type": "string", "format": "binary", "minLength": 1}
NAME: Final = {
    "type": "string",
    "maxLength": MOST_CHARACTERS,
    "description": "The product's name or title, as a hint, in any language.",
}
REQUESTS: Final[dict[str, tuple[list[str], dict[str, dict[str, int]]]]] = {
    "ClassifyBatchRequest": (["items"], {"items": {"minItems": 1}}),
    "ReviewClaimRequest": ([], {}),
    "ReviewLease": (["lease"], {}),
    "ReviewDecisionRequest": (["lease", "decision"], {"name": {"maxLength": LONGEST_NAME}}),
    "ReviewUndoRequest": ([], {"name": {"maxLength": LONGEST_NAME}}),
    "BatchItem": (["image"], {"name": {"maxLength": MOST_CHARACTERS}}),
    "ClassifyOptions": ([], {"top_k": {"minimum": 0, "maximum": MAX_TOP_K}}),
}
"""What a caller may send as JSON → the fields that must be there, and bounds that the .proto does not know.

The schemas made of the .proto describe answers, in which every field is there."""

KEY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
}
START: Final = "SwaggerUIBundle({url: 'openapi.json', dom_id: '#swagger', deepLinking: true});"
PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Lookbook: the API</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
<div id="swagger"></div>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""


def add(app: FastAPI, *, wants_keys: bool) -> None:
    """Adds ``/openapi.json`` and ``/docs``; they can be read without a key."""
    document: dict[str, Any] = {}

    async def openapi() -> Response:
        if not document:
            document.update(_openapi(app, wants_keys))
        return JSONResponse(document)

    async def docs() -> Response:
        # Swagger UI sets styles inline; scripts stay as strict as everywhere.
        policy = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        return HTMLResponse(PAGE, headers={"content-security-policy": policy})

    async def start() -> Response:
        return Response(START, media_type="text/javascript")

    for path, endpoint in (("/openapi.json", openapi), ("/docs", docs), ("/docs/start.js", start)):
        app.add_api_route(path, endpoint, include_in_schema=False)
    app.mount("/docs/assets", StaticFiles(directory=_assets()), "docs-assets")


def operation_id(route: APIRoute) -> str:
    """What generated clients call the operation: the endpoint's name, wherever its path may move."""
    return route.name


def answers(message: str) -> dict[str, Any]:
    """Arguments of a route that answers with ``message``."""
    responses: dict[int | str, Any] = {200: _content(JSON, {"$ref": f"#/components/schemas/{message}"})}
    problem = _content("application/problem+json", {"$ref": "#/components/schemas/Problem"})
    return {"responses": responses | {"default": problem | {"description": "What went wrong."}}, "tags": ["classifier"]}


def classify() -> dict[str, Any]:
    """Arguments of the route for one picture."""
    return answers("ClassifyResponse") | _one_picture(name=NAME)


def explain() -> dict[str, Any]:
    """Arguments of the route for the explanation of one picture."""
    return answers("ExplainResponse") | _one_picture()


def similar() -> dict[str, Any]:
    """Arguments of the route for the products that look like one picture."""
    return answers("FindSimilarResponse") | _one_picture()


def _one_picture(**texts: dict[str, Any]) -> dict[str, Any]:
    form = _form("image", FILE)
    form["properties"] |= texts
    content: dict[str, Any] = {MULTIPART: {"schema": form}}
    content |= {kind: {"schema": FILE} for kind in RAW_TYPES}
    return _body(content)


def review(message: str, request: str = "") -> dict[str, Any]:
    """Arguments of a route of the review queue that answers with ``message``, to a ``request`` if it has a body."""
    body = _body({JSON: {"schema": {"$ref": f"#/components/schemas/{request}"}}}) if request else {}
    return answers(message) | {"tags": ["review"]} | body


def review_picture() -> dict[str, Any]:
    """Arguments of the route for the picture of a card."""
    arguments = review("ReviewCounts")
    kinds = ("image/jpeg", "image/png", "image/webp", BINARY)
    arguments["responses"][200] = {"description": "The picture.", "content": {kind: {"schema": FILE} for kind in kinds}}
    return arguments


def classify_batch() -> dict[str, Any]:
    """Arguments of the route for many pictures."""
    content = {
        MULTIPART: {"schema": _form("images", {"type": "array", "minItems": 1, "items": FILE})},
        JSON: {"schema": {"$ref": "#/components/schemas/ClassifyBatchRequest"}},
    }
    return answers("ClassifyBatchResponse") | _body(content)


def _form(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [field], "additionalProperties": False, "properties": {field: schema}}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"openapi_extra": {"requestBody": {"required": True, "content": content}}}


def _content(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "The answer.", "content": {media_type: {"schema": schema}}}


def _openapi(app: FastAPI, wants_keys: bool) -> dict[str, Any]:
    document = get_openapi(
        title="Lookbook",
        version="1",
        description="Classifies pictures of fashion products. Error codes: " + ", ".join(sorted(errors.HTTP_STATUS)),
        routes=app.routes,
    )
    schemas = json.loads(SCHEMAS.read_text(encoding="utf-8"))
    for name, (required, bounds) in REQUESTS.items():
        schemas[name] |= {"required": required, "additionalProperties": False}
        for field, bound in bounds.items():
            schemas[name]["properties"][field] |= bound
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    if wants_keys:
        document["components"]["securitySchemes"] = KEY_SCHEMES
        document["security"] = [{name: []} for name in KEY_SCHEMES]
    return document


@cache
def _assets() -> Path:
    """Folder of Swagger UI; the package that brings it is not imported."""
    spec = find_spec("fastapi_offline")
    assert spec is not None and spec.origin is not None, "fastapi-offline is not installed"
    return Path(spec.origin).parent / "static"
