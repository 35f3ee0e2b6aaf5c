"""The server as a whole: puts the parts together, opens the ports, ends in order."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from schema.addresses import with_port
from serving.model_server.api.grpc_services import MODEL_SERVICE, PREDICTION_SERVICE, ModelService, PredictionService
from serving.model_server.api.limit import CallLimit
from serving.model_server.api.predict import Predictor
from serving.model_server.api.rest import make_app
from serving.model_server.config import Configuration, model_server_config
from serving.model_server.errors import ServingError
from serving.model_server.flags import Options, channel_options
from serving.model_server.metrics import Metrics
from serving.model_server.models.batching import Turns
from serving.model_server.models.manager import ManagerOptions, ModelManager
from serving.model_server.models.saved_model import LoadOptions
from serving.model_server.protos import ConfigError

DRAIN_SECONDS: Final = 30.0
"""How long requests under way may take to finish after SIGTERM."""
REFUSING_THREADS: Final = 32
"""gRPC threads beyond ``--grpc_max_threads``: they refuse what is too much, and answer health checks meanwhile."""
WAITING_CALLS: Final = 1000
"""gRPC calls that may wait for one of those threads."""
UNIX: Final = "unix:"
SERVICES: Final = (PREDICTION_SERVICE, MODEL_SERVICE)

logger = logging.getLogger(__name__)


class ModelServer:
    """One model server; :meth:`run` is its whole life."""

    def __init__(self, options: Options, configuration: Configuration) -> None:
        """Take the ports, so that it is known before the models load if one is taken.

        Raises:
            ConfigError: it is.
        """
        self._options = options
        self._models = configuration.models
        metrics = Metrics()
        turns = Turns(configuration.limits, metrics)
        self._health = health.HealthServicer()
        self._manager = ModelManager(_manager_options(options), turns, self._update_health)
        predictor = Predictor(self._manager, metrics)
        self._grpc = self._make_grpc(predictor, configuration.credentials)
        self._rest_socket = _listen(options.bind_address, options.rest_api_port) if options.rest_api_port else None
        timeout_seconds = options.rest_api_timeout_in_ms / 1e3
        app = make_app(self._manager, predictor, metrics, timeout_seconds, configuration.metrics_path)
        self._rest = web.AppRunner(app, shutdown_timeout=DRAIN_SECONDS, access_log=None)
        self._stopping = threading.Event()

    def _make_grpc(self, predictor: Predictor, credentials: Any) -> Any:
        defaults = {
            "grpc.max_receive_message_length": -1,
            "grpc.max_send_message_length": -1,
            "grpc.so_reuseport": 0,  # else a second server would share the port instead of failing
        }
        arguments = defaults | dict(channel_options(self._options.grpc_channel_arguments))
        most = self._options.grpc_max_threads
        server = grpc.server(
            ThreadPoolExecutor(most + REFUSING_THREADS, "grpc"),
            interceptors=[CallLimit(most)],
            options=list(arguments.items()),
            maximum_concurrent_rpcs=most + WAITING_CALLS,
        )
        prediction_service = PredictionService(self._manager, predictor)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(prediction_service, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(self._manager), server)
        names = [*SERVICES, reflection.SERVICE_NAME]
        if self._options.enable_grpc_healthcheck_service:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
            names.append(health.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        for address in self._grpc_addresses():
            _bind(server, address, None if address.startswith(UNIX) else credentials)
        return server

    def _grpc_addresses(self) -> list[str]:
        tcp = [with_port(self._options.bind_address, self._options.port)] if self._options.port else []
        return tcp + [f"{UNIX}{path}" for path in [self._options.grpc_socket_path] if path]

    async def run(self, stopped: asyncio.Event) -> None:
        """Load the models, serve until ``stopped``, finish what is under way.

        Raises:
            ConfigError: the model config is wrong, or a model does not come up.
        """
        stopping = asyncio.create_task(stopped.wait())
        loading = asyncio.create_task(asyncio.to_thread(self._load))
        try:
            await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
            if loading.done():
                loading.result()
                await self._serve_until(stopping)
        finally:
            stopping.cancel()
            self._manager.stop_waiting()
            await asyncio.gather(loading, stopping, return_exceptions=True)
            await asyncio.to_thread(self._manager.close)
        logger.info("Stopped")

    async def _serve_until(self, stopping: "asyncio.Task[Any]") -> None:
        await self._open()
        watchers = self._start_watchers()
        await stopping
        await self._close()
        await asyncio.gather(*(asyncio.to_thread(watcher.join) for watcher in watchers))

    def _load(self) -> None:
        try:
            self._manager.reload(self._models)
        except ServingError as error:
            raise ConfigError(f"{error.code.name}: {error}") from error
        self._update_health()

    async def _open(self) -> None:
        """Answer only now: a client that waits for the port finds the models behind it."""
        self._grpc.start()
        logger.info("Running gRPC ModelServer at %s ...", ", ".join(self._grpc_addresses()))
        await self._rest.setup()
        if self._rest_socket:
            await web.SockSite(self._rest, self._rest_socket).start()
            address = with_port(self._options.bind_address, self._options.rest_api_port)
            logger.info("Exporting HTTP/REST API at:%s ...", address)

    async def _close(self) -> None:
        logger.info("Stopping: no new requests, up to %.0f s for those under way", DRAIN_SECONDS)
        self._stopping.set()
        self._health.enter_graceful_shutdown()
        drained = self._grpc.stop(DRAIN_SECONDS)
        await asyncio.gather(asyncio.to_thread(drained.wait), self._rest.cleanup())

    def _start_watchers(self) -> list[threading.Thread]:
        periods = (
            (self._options.file_system_poll_wait_seconds, self._manager.poll),
            (self._options.model_config_file_poll_wait_seconds, self._reread_config),
        )
        watchers = [threading.Thread(target=self._repeat, args=period, name="watch") for period in periods]
        for watcher in watchers:
            watcher.start()
        return watchers

    def _repeat(self, seconds: int, action: Callable[[], None]) -> None:
        while seconds > 0 and not self._stopping.wait(seconds):
            _attempt(action)

    def _reread_config(self) -> None:
        models = model_server_config(self._options)
        if models != self._models:
            self._manager.reload(models)
            self._models = models  # only now: what was refused for want of a folder or a version is asked for again

    def _update_health(self) -> None:
        responses: Any = health_pb2.HealthCheckResponse
        status = responses.SERVING if self._manager.is_ready() else responses.NOT_SERVING
        for service in ("", *SERVICES):
            self._health.set(service, status)


def _manager_options(options: Options) -> ManagerOptions:
    both = options.tensorflow_session_parallelism
    load = LoadOptions(
        tags=tuple(options.saved_model_tags.split(",")),
        intra_op_threads=options.tensorflow_intra_op_parallelism or both,
        inter_op_threads=options.tensorflow_inter_op_parallelism or both,
    )
    return ManagerOptions(
        load=load,
        warmup_iterations=options.num_request_iterations_for_warmup if options.enable_model_warmup else 0,
        max_load_retries=options.max_num_load_retries,
        load_retry_seconds=options.load_retry_interval_micros / 1e6,
        labels_for_unavailable=options.allow_version_labels_for_unavailable_models,
    )


def _attempt(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:  # the next round may find the disk mended; until then the loaded models serve
        logger.exception("Can't bring the models up to date")


def _bind(server: Any, address: str, credentials: Any) -> None:
    try:
        if credentials:
            server.add_secure_port(address, credentials)
        else:
            server.add_insecure_port(address)
    except RuntimeError as error:
        certificate = ", or is --ssl_config_file no certificate with its key" if credentials else ""
        raise ConfigError(f"Can't listen on {address}; is it taken{certificate}? ({error})") from error


def _listen(address: str, port: int) -> socket.socket:
    try:
        is_ipv6 = ":" in address  # of which :: is all of IPv4 too, as gRPC has it
        family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
        return socket.create_server((address, port), family=family, dualstack_ipv6=is_ipv6)
    except OSError as error:
        raise ConfigError(f"Can't listen on {with_port(address, port)}; is it taken? ({error})") from error
