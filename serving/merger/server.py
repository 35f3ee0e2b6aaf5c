"""One merger: both transports over one classifier, from start to an ordered end."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Coroutine, Iterator
from typing import Any, Final

import grpc.aio
import uvicorn

from schema import heads as table
from schema import names
from schema.addresses import with_port
from schema.allocator import return_large_blocks
from serving.merger.admission import descriptors
from serving.merger.admission.api_keys import ApiKeys
from serving.merger.admission.uploads import Uploads
from serving.merger.core import images
from serving.merger.core.corrections import Overlays
from serving.merger.core.errors import SettingsError
from serving.merger.core.networks import proxies
from serving.merger.grpc.guard import Guard
from serving.merger.grpc.server import make_server
from serving.merger.grpc.servicer import ClassifierServicer
from serving.merger.learning.learner import Learner
from serving.merger.lifecycle import Lifecycle
from serving.merger.models.backend import ModelClient
from serving.merger.models.micro_batcher import MicroBatcher
from serving.merger.models.releases import Releases
from serving.merger.models.servers import Servers
from serving.merger.rest.protocol import Bounds, bounded
from serving.merger.review.desk import Desk
from serving.merger.service import Classifier
from serving.merger.settings import Settings
from serving.merger.telemetry import Telemetry
from serving.merger.tls import server_context, server_credentials

log = logging.getLogger(__name__)

PORTS: Final = 3
BACKLOG: Final = 2048
LINGER_S: Final = 30.0
"""What a body may take in all beyond its own time: a refused one is read on for a while."""
ADMIN_BODY_S: Final = 5.0


class Server:
    """The merger's process.

    Args:
        settings: everything.

    Raises:
        SettingsError: a file that they name cannot be used, or strangers would be let in by default.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.is_open:
            raise SettingsError(
                f"LOOKBOOK_HOST is {settings.host!r}, where others can reach the merger, and nobody needs a key. Name "
                "a LOOKBOOK_API_KEYS_FILE, or set LOOKBOOK_ANONYMOUS=true to let everybody in."
            )
        self._settings = settings
        self._telemetry = Telemetry()
        self._servers = {target: Servers(target, settings) for target in map(settings.target, table.MODELS)}
        self._clients = {
            model: ModelClient(model, self._servers[settings.target(model)], settings, self._telemetry)
            for model in table.MODELS
        }
        self._releases = Releases(self._clients, settings, self._changed)
        self._desk = Desk(settings, self._telemetry.registry) if settings.review_store else None
        scorers = {
            model: MicroBatcher(client, settings.model_calls, settings.model_batch_images)
            for model, client in self._clients.items()
        }
        finder, overlays = self._clients[names.ARTICLE_TYPE], Overlays()
        self._classifier = Classifier(settings, scorers, finder, self._releases, self._telemetry, self._desk, overlays)
        self._learner = self._make_learner(overlays)
        self._lifecycle = Lifecycle(self._releases, self._desk, self._learner)
        self._callers = ApiKeys(settings.api_keys_file, is_private=not settings.anonymous)
        self._uploads = Uploads(settings.max_held_bytes)
        self._credentials, self._context = server_credentials(settings), server_context(settings)
        self._background: list[asyncio.Task[None]] = []
        self._http: list[tuple[_Uvicorn, asyncio.Task[None]]] = []
        self._is_hurried = asyncio.Event()
        self._grpc: grpc.aio.Server | None = None
        self.http_port = self.admin_port = self.grpc_port = 0

    async def start(self) -> None:
        """Listens on all ports.

        Raises:
            OSError: a port is taken, or the address is not this machine's.
        """
        descriptors.allow(PORTS * self._settings.max_connections)
        self._run(self._releases.follow())
        return_large_blocks()
        self._classifier.start()
        await self._start_grpc()
        await self._start_http()
        self._run(self._uploads.watch())
        if self._desk:
            self._run(self._desk.run())
        if self._learner:
            self._run(self._learner.run())
        self._lifecycle.changed()
        log.info(
            "listening",
            extra={
                "host": self._settings.host,
                "http_port": self.http_port,
                "grpc_port": self.grpc_port,
                "admin_port": self.admin_port,
            },
        )

    async def stop(self, delay_s: float) -> None:
        """Not ready → wait, so that nobody sends more → take no more calls → finish those under way.

        Args:
            delay_s: the wait.
        """
        log.info("draining", extra={"delay_s": delay_s})
        self._lifecycle.drain()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._is_hurried.wait(), delay_s)
        drain_s = self._settings.drain_timeout_ms / 1000
        await asyncio.gather(self._stop_http(), self._stop_grpc(drain_s))
        for task in self._background:
            task.cancel()
        self._classifier.stop()
        if self._desk:
            await self._desk.close()
        await asyncio.gather(*(servers.close() for servers in self._servers.values()))
        log.info("stopped")

    async def hurry(self) -> None:
        """Ends the wait before the drain; asked a second time, the drain too, and with it what is under way."""
        if not self._is_hurried.is_set():
            self._is_hurried.set()
            return
        log.warning("what is under way is broken off")
        for server, _ in self._http:
            server.force_exit = True
        if self._grpc:
            await self._grpc.stop(None)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._background.append(task)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """What runs until the end has ended before: without it this process is not what others rely on."""
        if not task.cancelled() and not self._lifecycle.is_draining:
            log.critical("a part of the merger has ended; it has to be started anew", exc_info=task.exception())
            self._lifecycle.break_down()
            self._changed()

    def _make_learner(self, overlays: Overlays) -> Learner | None:
        if not (self._desk and self._settings.max_correction_images):
            return None
        place, registry = self._classifier.place, self._telemetry.registry
        return Learner(self._settings, self._desk, self._releases, place, overlays, registry)

    async def _start_grpc(self) -> None:
        guard = Guard(self._callers, self._uploads, self._telemetry, self._settings)
        servicer = ClassifierServicer(self._classifier, self._releases, guard, self._settings)
        self._grpc = make_server(servicer, self._lifecycle, self._uploads, self._settings)
        address = with_port(self._settings.host, self._settings.grpc_port)
        with _listening_on(address):
            if self._credentials:
                self.grpc_port = self._grpc.add_secure_port(address, self._credentials)
            else:
                self.grpc_port = self._grpc.add_insecure_port(address)
        await self._grpc.start()

    async def _start_http(self) -> None:
        sockets = [listen(self._settings.host, port) for port in (self._settings.http_port, self._settings.admin_port)]
        self.http_port, self.admin_port = (sock.getsockname()[1] for sock in sockets)
        # Importing FastAPI and decoders is half of the cold start: in a thread, so that gRPC answers meanwhile.
        app, admin = await asyncio.to_thread(self._make_apps)
        body_s, connections = self._settings.upload_timeout_ms / 1000 + LINGER_S, self._settings.max_connections
        bounds = Bounds(self._settings.max_request_bytes, body_s, connections)
        self._run_http(app, sockets[0], bounded(bounds, self._context))
        self._run_http(admin, sockets[1], bounded(Bounds(0, ADMIN_BODY_S, connections), None))

    def _run_http(self, app: Any, sock: socket.socket, protocol: Any) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http=protocol,
            server_header=False,
            # Else whoever calls from this machine could name any address as its own.
            forwarded_allow_ips=proxies(self._settings.trusted_proxies),
            timeout_graceful_shutdown=max(1, self._settings.drain_timeout_ms // 1000),
        )
        server = _Uvicorn(config)
        task = asyncio.create_task(server.serve([sock]))
        task.add_done_callback(self._ended)
        self._http.append((server, task))

    def _make_apps(self) -> tuple[Any, Any]:
        import pydantic

        # FastAPI has all of OpenAPI as models: they are built when someone asks for /openapi.json, not at the start.
        pydantic.BaseModel.model_config = pydantic.ConfigDict(defer_build=True)
        from serving.merger.rest.admin import make_admin_app
        from serving.merger.rest.app import make_app

        images.warm()
        app = make_app(
            self._classifier,
            self._releases,
            self._callers,
            self._uploads,
            self._lifecycle,
            self._telemetry,
            self._settings,
            self._desk,
        )
        return app, make_admin_app(self._lifecycle, self._telemetry)

    async def _stop_http(self) -> None:
        for server, _ in self._http:
            server.should_exit = True
        await asyncio.gather(*(task for _, task in self._http), return_exceptions=True)  # _ended has told of them

    async def _stop_grpc(self, drain_s: float) -> None:
        if self._grpc:
            await self._grpc.stop(drain_s)

    def _changed(self) -> None:
        current = self._releases.current
        is_ready = self._releases.readiness == "ready" and not self._lifecycle.is_broken
        self._telemetry.release(current.release.version if current else 0, is_ready)
        self._lifecycle.changed()


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the process: the two transports must stop in one order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@contextlib.contextmanager
def _listening_on(address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # gRPC's is the latter
        raise OSError(f"nothing can listen on {address}; is it taken, and is it this machine's? ({error})") from error


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Raises:
        OSError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle's algorithm off only where it reads TCP, and with it on the body
    # of every answer waits 40 ms for the client's acknowledgement of the headers.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with _listening_on(with_port(host, port)):
        sock.bind((host, port))
    sock.listen(BACKLOG)
    return sock
