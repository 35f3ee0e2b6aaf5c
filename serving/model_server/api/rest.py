"""The REST face: ``/v1/models/…`` as TensorFlow Serving has it, and the metrics."""

import asyncio
import json
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiohttp import web
from grpc import StatusCode
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from serving.model_server.api.json_tensor import answer, fill_inputs, is_row_format, parse_body
from serving.model_server.api.model_info import SIGNATURE_DEF, model_metadata, model_status
from serving.model_server.api.predict import Predictor
from serving.model_server.errors import ServingError, internal_error, invalid_argument
from serving.model_server.metrics import Metrics
from serving.model_server.models.calls import Call
from serving.model_server.models.manager import ModelManager
from serving.model_server.models.versions import is_version
from serving.model_server.models.warmup import DEFAULT_SIGNATURE
from serving.old_stack import as_dict

_CHOICE: Final = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_PREDICT: Final = re.compile(rf"(?i)/v1/models/(?P<name>[^/:]+){_CHOICE}:(?P<method>classify|regress|predict)")
_DESCRIBE: Final = re.compile(rf"(?i)/v1/models(?:/(?P<name>[^/:]+))?{_CHOICE}(?P<metadata>/metadata)?")
_MAX_BODY_BYTES: Final = 2**31 - 1
_THREADS: Final = 64

logger = logging.getLogger(__name__)


def make_app(
    manager: ModelManager, predictor: Predictor, metrics: Metrics, timeout_seconds: float, metrics_path: str | None
) -> web.Application:
    """The web application.

    Args:
        manager: the models.
        predictor: answers ``:predict``.
        metrics: what ``metrics_path`` shows.
        timeout_seconds: longest time for a prediction.
        metrics_path: where the metrics are; None for nowhere.
    """
    api = _Api(manager, predictor, metrics, timeout_seconds)
    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_errors_as_json])
    if metrics_path:
        app.router.add_get(metrics_path, api.metrics)
    app.router.add_route("*", "/{path:.*}", api.dispatch)
    return app


@web.middleware
async def _errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except ServingError as error:
        failure = error
    except web.HTTPException:
        raise
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        failure = internal_error()
    response = _json({"error": str(failure)}, failure.http_status)
    if request.content.exception():
        response.force_close()  # aiohttp hangs up after a body that it can't read; a client must know
    return response


def _json(document: Any, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(document) + "\n", status=status, content_type="application/json")


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise invalid_argument(f"The body can't be read: {' '.join(str(error).split())}") from error


def _fill_spec(spec: Any, match: "re.Match[str]") -> None:
    spec.name = match["name"]
    if match["version"]:
        if not is_version(match["version"]):
            raise invalid_argument(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    if match["label"]:
        spec.version_label = match["label"]


class _Api:
    def __init__(self, manager: ModelManager, predictor: Predictor, metrics: Metrics, timeout_seconds: float) -> None:
        self._manager = manager
        self._metrics = metrics
        self._predictor = predictor
        self._timeout_seconds = timeout_seconds
        self._threads = ThreadPoolExecutor(_THREADS, "rest")

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.page(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def dispatch(self, request: web.Request) -> web.Response:
        if not request.path.lower().startswith("/v1/"):
            raise web.HTTPNotFound
        if request.method == "POST" and (match := _PREDICT.fullmatch(request.path)):
            body = await _read(request)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._predict, match, body)
        if request.method == "GET" and (match := _DESCRIBE.fullmatch(request.path)):
            return self._describe(match)
        raise invalid_argument(f"Malformed request: {request.method} {request.path}")

    def _predict(self, match: "re.Match[str]", body: bytes) -> web.Response:
        if match["method"].lower() != "predict":
            raise ServingError(StatusCode.UNIMPLEMENTED, f"{match['method']} is not implemented; use predict")
        call = Call(time.monotonic() + self._timeout_seconds)
        request = PredictRequest()
        _fill_spec(request.model_spec, match)
        document = parse_body(body)
        name = request.model_spec.signature_name = document.get("signature_name") or DEFAULT_SIGNATURE
        with self._manager.use(request.model_spec) as version:
            if name not in version.signature_defs:
                raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
            fill_inputs(request, document, version.signature_defs[name].inputs)
        response = self._predictor.predict(request, call, "REST")
        return _json(answer(response, is_row_format(document)))

    def _describe(self, match: "re.Match[str]") -> web.Response:
        if not match["name"]:
            raise invalid_argument("Missing model name in request.")
        if match["metadata"]:
            return self._metadata(match)
        request = GetModelStatusRequest()
        _fill_spec(request.model_spec, match)
        status = model_status(self._manager, request)
        return _json(as_dict(status))

    def _metadata(self, match: "re.Match[str]") -> web.Response:
        request = GetModelMetadataRequest(metadata_field=[SIGNATURE_DEF])
        _fill_spec(request.model_spec, match)
        response = model_metadata(self._manager, request)
        signatures = SignatureDefMap()
        response.metadata[SIGNATURE_DEF].Unpack(signatures)
        return _json({"model_spec": as_dict(response.model_spec), "metadata": {SIGNATURE_DEF: as_dict(signatures)}})
