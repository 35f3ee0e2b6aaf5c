"""The model servers of one target, and which of them answers a call.

One that loads a version has its CPUs busy for seconds, so calls go past it while enough others are there. Which one has
which version is looked up server by server: a call for a version goes to one that has it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from serving.merger.models.addresses import Addresses, Resolve, resolve
from serving.merger.models.model_server import ModelServer, VersionState
from serving.merger.settings import Settings
from serving.merger.tls import channel_credentials
from serving.stubs.tensorflow_serving.apis import predict_pb2

Attempt = Callable[..., Awaitable[predict_pb2.PredictResponse]]


class Servers:
    """The servers of one target; the models that they have share them.

    Args:
        target: gRPC target of the servers.
        settings: deadlines, TLS.
        resolve: looks a name up.

    Raises:
        SettingsError: a certificate's file cannot be used. They are read once, here.
    """

    def __init__(self, target: str, settings: Settings, resolve: Resolve = resolve) -> None:
        self._settings = settings
        self._credentials = channel_credentials(settings)
        self._addresses = Addresses(target, resolve)
        self._following = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self._looking: dict[tuple[ModelServer, str], asyncio.Task[bool]] = {}
        self._returned: set[str] = set()
        self._turn = 0
        self._servers: dict[str, ModelServer] = {}
        self._connect()

    def count(self, model: str) -> int:
        """How many servers share the calls to a model now, at least 1."""
        return max(1, len(_spared([server for server in self._servers.values() if server.answers(model)])))

    async def look(self, model: str, timeout_s: float) -> tuple[list[VersionState], bool]:
        """The versions of a model, newest first, and whether some server was away or unknown before this look.

        Those that did not answer the last time are asked too, but not waited for while others are there.

        Raises:
            grpc.aio.AioRpcError: none answers.
        """
        await self._follow()
        servers = list(self._servers.values())
        awaited = [server for server in servers if model in server.heard] or servers
        looks = {server: self._look(server, model, timeout_s) for server in servers}
        done = await asyncio.gather(*(asyncio.shield(looks[server]) for server in awaited), return_exceptions=True)
        heard = [server.heard[model] for server in servers if model in server.heard]
        if not heard or all(isinstance(one, BaseException) for one in done):
            raise next(one for one in done if isinstance(one, BaseException))
        has_returned = model in self._returned
        self._returned.discard(model)
        return agreed(heard), has_returned

    def attempts(self) -> Attempt:
        """A call that goes to another server each time it is made, where there is one."""
        tried: set[ModelServer] = set()

        async def attempt(request: predict_pb2.PredictRequest, *, timeout: float) -> predict_pb2.PredictResponse:
            server = self._pick(request.model_spec.name, request.model_spec.version.value, tried)
            tried.add(server)
            return await server.predict(request, timeout)

        return attempt

    async def close(self) -> None:
        """Ends the channels; calls under way are cancelled."""
        tasks = [*self._background, *self._looking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *(server.close() for server in self._servers.values()), return_exceptions=True)

    async def _follow(self) -> None:
        """Looks the addresses up, not more often than makes sense, and connects to the new ones where they changed."""
        async with self._following:
            if await self._addresses.look():
                self._connect()

    def _connect(self) -> None:
        targets = self._addresses.targets
        for target in self._servers.keys() - set(targets):
            server = self._servers.pop(target)
            # Calls under way have their time to end.
            closing = asyncio.create_task(server.close(self._settings.request_timeout_ms / 1000))
            self._background.add(closing)
            closing.add_done_callback(self._background.discard)
        for target in targets:
            if target not in self._servers:
                name = self._addresses.authority
                self._servers[target] = ModelServer(target, name, self._settings, self._credentials)

    def _look(self, server: ModelServer, model: str, timeout_s: float) -> "asyncio.Task[bool]":
        """The look that is under way, or a new one."""
        key = (server, model)
        if key not in self._looking:
            self._looking[key] = asyncio.create_task(server.look(model, timeout_s))
            self._looking[key].add_done_callback(lambda done: self._looked(key, done))
        return self._looking[key]

    def _looked(self, key: tuple[ModelServer, str], done: "asyncio.Task[bool]") -> None:
        del self._looking[key]
        if not done.cancelled() and not done.exception() and done.result():
            self._returned.add(key[1])

    def _pick(self, model: str, version: int, tried: set[ModelServer]) -> ModelServer:
        servers = list(self._servers.values())
        spared = _spared([server for server in servers if server.has(model, version)])

        def rank(server: ModelServer) -> tuple[int, ...]:
            # Who lacks the version says so, and then there may be another; who is not reached says nothing.
            is_fit = (server in spared, server.has(model, version), server.answers(model))
            return server in tried, *(not one for one in is_fit), server.under_way, server.turn

        picked = min(servers, key=rank)
        self._turn += 1
        picked.turn = self._turn
        return picked


def _spared(servers: Sequence[ModelServer]) -> Sequence[ModelServer]:
    """Without those that load, if that leaves half of them at least."""
    calm = [server for server in servers if not server.is_loading]
    return calm if 2 * len(calm) >= len(servers) else servers


def agreed(heard: Iterable[Sequence[VersionState]]) -> list[VersionState]:
    """What several servers say of the versions of a model in one list, newest first.

    A version is AVAILABLE where half of the servers have it, so that the first to have it does not answer for all; if
    no version is that far, those that any has.
    """
    servers = list(heard)
    by_version: dict[int, list[VersionState]] = {}
    for state in (state for states in servers for state in states):
        by_version.setdefault(state.version, []).append(state)
    having = {version: sum(one.is_available for one in states) for version, states in by_version.items()}
    is_any_far = any(2 * count >= len(servers) for count in having.values())
    least = len(servers) / 2 if is_any_far else 1
    return [
        next(
            (one for one in by_version[version] if one.is_available == (having[version] >= least)),
            VersionState(version, "START", "Too few servers have it."),
        )
        for version in sorted(by_version, reverse=True)
    ]
