"""The gRPC transport: converts, awaits the classifier once, converts back; health and reflection."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import unquote

import grpc.aio
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from schema import heads as table
from serving.merger import views
from serving.merger.admission.api_keys import Callers
from serving.merger.core.calls import REQUEST_ID_HEADER, Call, make_call, request_id
from serving.merger.core.errors import GRPC_STATUS, LookbookError, Overloaded, problem
from serving.merger.lifecycle import Lifecycle
from serving.merger.models.releases import Releases
from serving.merger.service import Classifier
from serving.merger.settings import Settings
from serving.merger.telemetry import Telemetry
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.proto.lookbook.v1 import classifier_pb2_grpc

log = logging.getLogger(__name__)

SERVICE: Final = pb.DESCRIPTOR.services_by_name["Classifier"].full_name
DETAILS_KEY: Final = "grpc-status-details-bin"
RETRY_AFTER_S: Final = 1.0

Reply = TypeVar("Reply")
Context: TypeAlias = grpc.aio.ServicerContext
CallMaker: TypeAlias = Callable[..., Call]
"""(options, limit in milliseconds or None) → the call."""


class ClassifierServicer(classifier_pb2_grpc.ClassifierServicer):
    """The service over the classifier."""

    def __init__(
        self, classifier: Classifier, releases: Releases, callers: Callers, telemetry: Telemetry, settings: Settings
    ) -> None:
        self._classifier = classifier
        self._callers = callers
        self._releases = releases
        self._telemetry = telemetry
        self._settings = settings
        self._streams = 0

    async def Classify(self, request: pb.ClassifyRequest, context: Context) -> pb.ClassifyResponse:
        """One picture."""

        async def work(call: CallMaker) -> pb.ClassifyResponse:
            return await self._classifier.classify(request.image, call(request.options))

        return await self._guard("Classify", context, work)

    async def ClassifyBatch(self, request: pb.ClassifyBatchRequest, context: Context) -> pb.ClassifyBatchResponse:
        """Many pictures."""

        async def work(call: CallMaker) -> pb.ClassifyBatchResponse:
            return await self._classifier.classify_batch(request.items, call(request.options))

        return await self._guard("ClassifyBatch", context, work)

    async def ClassifyStream(self, requests: AsyncIterator[pb.ClassifyStreamRequest], context: Context) -> None:
        """A catalogue of pictures."""

        async def work(call: CallMaker) -> None:
            if self._streams >= self._settings.max_streams:
                raise Overloaded(f"{self._streams} streams are open already.", retry_after_s=RETRY_AFTER_S)
            self._streams += 1
            try:
                await self._stream(call, requests, context)
            finally:
                self._streams -= 1

        await self._guard("ClassifyStream", context, work)

    async def Explain(self, request: pb.ExplainRequest, context: Context) -> pb.ExplainResponse:
        """Which parts of a picture a label rests on."""

        async def work(call: CallMaker) -> pb.ExplainResponse:
            return await self._classifier.explain(request.image, request.options, call(pb.ClassifyOptions()))

        return await self._guard("Explain", context, work)

    async def GetTaxonomy(self, request: pb.GetTaxonomyRequest, context: Context) -> pb.Taxonomy:
        """Every path that an answer can name."""

        async def work(_: CallMaker) -> pb.Taxonomy:
            return views.taxonomy(self._releases)

        return await self._guard("GetTaxonomy", context, work)

    async def GetModels(self, request: pb.GetModelsRequest, context: Context) -> pb.Models:
        """The release and the models."""

        async def work(_: CallMaker) -> pb.Models:
            return views.models(self._releases)

        return await self._guard("GetModels", context, work)

    async def _stream(
        self, call: CallMaker, requests: AsyncIterator[pb.ClassifyStreamRequest], context: Context
    ) -> None:
        first = await anext(requests, None)
        if first is None:
            return

        async def items() -> AsyncIterator[pb.BatchItem]:
            yield first.item
            async for request in requests:
                yield request.item

        make_call = partial(call, first.options, self._settings.stream_item_timeout_ms)
        make_call()  # wrong options fail the stream, not each picture
        async for result in self._classifier.classify_stream(items(), make_call):
            await context.write(result)

    def _call(
        self, name: str, caller: str, context: Context, options: pb.ClassifyOptions, limit_ms: int | None = None
    ) -> Call:
        limit_s = (limit_ms or self._settings.request_timeout_ms) / 1000
        asked_s = context.time_remaining()
        return make_call(name, caller, limit_s if asked_s is None else min(limit_s, asked_s), options)

    async def _guard(self, method: str, context: Context, work: Callable[[CallMaker], Awaitable[Reply]]) -> Reply:
        """Awaits ``work`` if the caller may call; an error becomes a status with a Problem in its details."""
        started = time.perf_counter()
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        name = request_id(metadata.get(REQUEST_ID_HEADER))
        context.set_trailing_metadata(((REQUEST_ID_HEADER, name),))
        code = "ok"
        try:
            caller = self._callers.identify(metadata, _address(context.peer()))
            return await work(partial(self._call, name, caller, context))
        except LookbookError as error:
            failure, code = error, error.code
        except asyncio.CancelledError:
            code = "cancelled"
            raise
        except Exception:
            log.exception("a bug", extra={"request_id": name, "method": method})
            failure = LookbookError("The server made a mistake; its log says more under this request id.")
            code = failure.code
        finally:
            self._telemetry.called("grpc", method, code, time.perf_counter() - started, name)
        return await _abort(context, failure, name)


def _address(peer: str) -> str:
    """The address in ``ipv4:10.0.0.7:4711`` or ``ipv6:%5B::1%5D:4711``, as REST has it: a caller has many ports."""
    return unquote(peer.partition(":")[2].rpartition(":")[0]).strip("[]") or peer


async def _abort(context: Context, error: LookbookError, name: str) -> Any:
    """Ends the call; never returns."""
    code = grpc.StatusCode[GRPC_STATUS[error.code]]
    packed = any_pb2.Any()
    packed.Pack(problem(error, name))
    status = status_pb2.Status(code=code.value[0], message=error.detail, details=[packed])
    trailing = ((REQUEST_ID_HEADER, name), (DETAILS_KEY, status.SerializeToString()))
    await context.abort(code, error.detail, trailing)


def make_server(servicer: ClassifierServicer, lifecycle: Lifecycle, settings: Settings) -> grpc.aio.Server:
    """The server with service, health and reflection; not yet bound or started."""
    server = grpc.aio.server(options=_options(settings))
    classifier_pb2_grpc.add_ClassifierServicer_to_server(servicer, server)
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    lifecycle.listen(lambda: _show(health_servicer, lifecycle))
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


def _show(health_servicer: Any, lifecycle: Lifecycle) -> None:
    states = dict.fromkeys(("", SERVICE), lifecycle.is_serving)
    states |= {model: lifecycle.is_model_serving(model) for model in table.MODELS}
    status = health_pb2.HealthCheckResponse
    for service, is_serving in states.items():
        setting = health_servicer.set(service, status.SERVING if is_serving else status.NOT_SERVING)
        task = asyncio.ensure_future(setting)
        _background.add(task)
        task.add_done_callback(_background.discard)


_background: set["asyncio.Future[None]"] = set()
"""Keeps the tasks alive: the loop itself holds them weakly."""


def _options(settings: Settings) -> list[tuple[str, int]]:
    # A connection that is too old takes no more calls, and finishes those under way: no call is lost by it.
    age_ms = settings.grpc_connection_age_ms
    return [
        *([("grpc.max_connection_age_ms", age_ms)] if age_ms else []),
        ("grpc.so_reuseport", 0),  # a port that is taken should be an error, not shared
        ("grpc.max_receive_message_length", settings.max_request_bytes),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
