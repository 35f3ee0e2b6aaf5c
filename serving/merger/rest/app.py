"""The REST transport: converts, awaits the classifier once, converts back; the page and the API's description."""

import asyncio
import hashlib
from collections.abc import Awaitable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serving.merger import views
from serving.merger.admission.api_keys import ApiKeys
from serving.merger.admission.uploads import Uploads
from serving.merger.core.calls import MAX_TOP_K, Call, make_call
from serving.merger.core.errors import (
    InvalidRequest,
    LookbookError,
    MethodNotAllowed,
    NotFound,
)
from serving.merger.core.merge import DEEPEST, DEFAULT_TOP_K, LEVELS
from serving.merger.explain import DEFAULT_CELLS, MAX_CELLS, MIN_CELLS
from serving.merger.lifecycle import Lifecycle
from serving.merger.models.releases import Releases
from serving.merger.rest import admin, cors, docs, page, review
from serving.merger.rest.bodies import read_batch, read_image, read_item
from serving.merger.rest.forms import keep_uploads_in_memory, query_names
from serving.merger.rest.middleware import ClientGone, Gate, HeadAsGet, identify
from serving.merger.rest.problems import problem_response
from serving.merger.review.desk import Desk
from serving.merger.service import Classifier
from serving.merger.settings import Settings
from serving.merger.similar import DEFAULT_PRODUCTS, MOST_PRODUCTS
from serving.merger.telemetry import Telemetry
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb

Reply = TypeVar("Reply")
AllowPartial = Annotated[bool, Query(description="Answer from one model when the other cannot be had.")]
TopK = Annotated[int, Query(ge=1, le=MAX_TOP_K, description="Labels to list in each head, paths in the joint answer.")]
TimeoutMs = Annotated[int | None, Query(ge=1, description="Time for the answer; never more than the server's limit.")]
Head = Annotated[
    str,
    Query(
        description=f"The head to explain, an attribute of the release (see /v1/taxonomy) included; empty: {DEEPEST}.",
        examples=[*LEVELS],
    ),
]
Label = Annotated[str, Query(description="The label to explain; empty: the head's best one.")]
Products = Annotated[int, Query(ge=1, le=MOST_PRODUCTS, description="Products to list, at most.")]
WithThumbnails = Annotated[bool, Query(description="Whether each product brings a small picture, as Base64.")]
Cells = Annotated[int, Query(ge=MIN_CELLS, le=MAX_CELLS, description="Parts of the picture to hide, at most.")]


def make_app(
    classifier: Classifier,
    releases: Releases,
    callers: ApiKeys,
    uploads: Uploads,
    lifecycle: Lifecycle,
    telemetry: Telemetry,
    settings: Settings,
    desk: Desk | None = None,
) -> FastAPI:
    """The ASGI application over the classifier."""
    keep_uploads_in_memory(settings)
    # Redirects to paths with another slash would name whatever host the caller says that we are.
    app = FastAPI(
        title="Lookbook",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=docs.operation_id,
    )
    app.add_middleware(
        Gate,
        max_body_bytes=settings.max_request_bytes,
        callers=callers,
        uploads=uploads,
        shed=classifier.shed,
        observer=partial(telemetry.called, "http"),
    )
    cors.add(app, settings.allowed_origins)
    app.add_middleware(HeadAsGet)
    _add_errors(app)
    guarded = APIRouter(
        dependencies=[Depends(partial(_identify, callers)), Depends(_require_known_query)],
        generate_unique_id_function=docs.operation_id,
    )
    _add_classifying(guarded, classifier, settings)
    _add_views(guarded, releases)
    review.add(guarded, desk, releases, settings)
    app.include_router(guarded)
    admin.add_health(app, lifecycle)
    docs.add(app, wants_keys=bool(settings.api_keys_file))
    page.add(app, settings.web_dir)
    return app


def _add_classifying(app: APIRouter, classifier: Classifier, settings: Settings) -> None:
    def call(request: Request, options: pb.ClassifyOptions, timeout_ms: int | None) -> Call:
        limit_ms = min(timeout_ms or settings.request_timeout_ms, settings.request_timeout_ms)
        return make_call(request.state.request_id, request.state.caller, limit_ms / 1000, options)

    @app.post("/v1/classify", **docs.classify())
    async def classify(
        request: Request,
        allow_partial: AllowPartial = False,
        top_k: TopK = DEFAULT_TOP_K,
        timeout_ms: TimeoutMs = None,
    ) -> Response:
        """Classifies one picture, by its product's name too where a form has one."""
        item = await read_item(request, settings)
        called = call(request, pb.ClassifyOptions(allow_partial=allow_partial, top_k=top_k), timeout_ms)
        answer = await _unless_gone(request, classifier.classify(item.image, called, item.name))
        return _json(answer)

    @app.post("/v1/classify:batch", **docs.classify_batch())
    async def classify_batch(
        request: Request,
        allow_partial: AllowPartial = False,
        top_k: TopK = DEFAULT_TOP_K,
        timeout_ms: TimeoutMs = None,
    ) -> Response:
        """Classifies many pictures; one that fails has its own error and disturbs no other."""
        batch = await read_batch(request, settings)
        options = pb.ClassifyOptions(allow_partial=allow_partial, top_k=top_k)
        options.MergeFrom(batch.options)
        called = call(request, options, timeout_ms)
        return _json(await _unless_gone(request, classifier.classify_batch(batch.items, called)))

    @app.post("/v1/explain", **docs.explain())
    async def explain(
        request: Request,
        head: Head = "",
        label: Label = "",
        cells: Cells = DEFAULT_CELLS,
        timeout_ms: TimeoutMs = None,
    ) -> Response:
        """Shows which parts of a picture a label rests on: cells of it are hidden one after the other."""
        image = await read_image(request, settings)
        options = pb.ExplainOptions(head=head, label=label, cells=cells)
        called = call(request, pb.ClassifyOptions(), timeout_ms)
        return _json(await _unless_gone(request, classifier.explain(image, options, called)))

    @app.post("/v1/similar", **docs.similar())
    async def find_similar(
        request: Request,
        k: Products = DEFAULT_PRODUCTS,
        thumbnails: WithThumbnails = False,
        timeout_ms: TimeoutMs = None,
    ) -> Response:
        """Finds the known products that look most like a picture."""
        image = await read_image(request, settings)
        options = pb.SimilarOptions(k=k, thumbnails=thumbnails)
        called = call(request, pb.ClassifyOptions(), timeout_ms)
        return _json(await _unless_gone(request, classifier.find_similar(image, options, called)))


def _add_views(app: APIRouter, releases: Releases) -> None:
    @app.get("/v1/taxonomy", **docs.answers("Taxonomy"))
    async def taxonomy(request: Request) -> Response:
        """Every path that an answer can name."""
        found = views.taxonomy(releases)
        # Of the content: while a model is away its labels are missing, under the same release.
        digest = hashlib.sha256(found.SerializeToString(deterministic=True)).hexdigest()[:32]
        headers = {"etag": f'"{digest}"', "cache-control": "no-cache"}
        known = ",".join(request.headers.getlist("if-none-match")).split(",")
        if {"*", headers["etag"]} & {tag.strip().removeprefix("W/") for tag in known}:
            return Response(status_code=304, headers=headers)
        return JSONResponse(as_json(found), headers=headers)

    @app.get("/v1/models", **docs.answers("Models"))
    async def models() -> Response:
        """The release that answers, and the state of both models."""
        return _json(views.models(releases))


async def _identify(callers: ApiKeys, request: Request) -> None:
    if not hasattr(request.state, "caller"):
        request.state.caller = identify(callers, request.scope)


async def _require_known_query(request: Request) -> None:
    """A misspelt option would be left out of the answer without a word."""
    known = query_names(request)
    given = [name for name, _ in request.query_params.multi_items()]
    if request.method == "POST" and (unknown := sorted({name[:60] for name in given if name not in known})):
        right = f"may have {', '.join(known)}" if known else "has none here"
        raise InvalidRequest(f"The address has the unknown option {unknown[0]!r}; it {right}.")
    if twice := next((name for name in known if given.count(name) > 1), None):
        raise InvalidRequest(f"The address has {twice} {given.count(twice)} times; once is right.")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(LookbookError)
    async def told(request: Request, error: LookbookError) -> Response:
        return _problem(request, error.alone())

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [f"{one['loc'][-1]}: {one['msg']}, not {one.get('input')!r}" for one in error.errors()]
        return _problem(request, InvalidRequest("; ".join(wrong)[:500] + "."))

    @app.exception_handler(HTTPException)
    async def routed(request: Request, error: HTTPException) -> Response:
        where = f"{request.method} {request.url.path[:100]}"
        kinds: dict[int, LookbookError] = {
            404: NotFound(f"There is no {where}; /docs lists what there is."),
            405: MethodNotAllowed(f"{where} is not possible; /docs lists what is."),
        }
        return _problem(request, kinds.get(error.status_code, InvalidRequest(str(error.detail))), error.headers)


def _problem(request: Request, error: LookbookError, headers: Any = None) -> Response:
    request.state.code = error.code
    return problem_response(error, request.state.request_id, headers)


def _json(message: Any) -> Response:
    return JSONResponse(as_json(message), headers={"cache-control": "no-store"})


async def _unless_gone(request: Request, work: Awaitable[Reply]) -> Reply:
    """The result of ``work``, which is cancelled when the client hangs up; its body must have been read."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        task.cancel()
        gone.cancel()


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
