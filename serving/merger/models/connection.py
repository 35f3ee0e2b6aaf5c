"""The connection to the model servers of one model: a channel to every address, and the stubs over it.

Calls take the addresses in turn (``round_robin``), so another attempt goes to another server where there is one.
"""

import asyncio
import json
from typing import Any, Final

import grpc.aio

from serving.merger.models.addresses import Addresses, Resolve
from serving.merger.settings import Settings
from serving.merger.tls import channel_credentials
from serving.stubs.tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

MAX_REPLY_BYTES: Final = 64 * 2**20


class Connection:
    """Stubs over a channel that follows the servers' addresses.

    Args:
        target: gRPC target of the servers.
        settings: deadlines, retries, TLS.
        resolve: looks a name up.
    """

    def __init__(self, target: str, settings: Settings, resolve: Resolve) -> None:
        self._settings = settings
        self._addresses = Addresses(target, resolve)
        self._closing: set[asyncio.Task[None]] = set()
        self._open()

    @property
    def servers(self) -> int:
        """How many servers are known, at least 1."""
        return self._addresses.count

    async def follow(self) -> None:
        """Looks the addresses up, not more often than makes sense, and connects to the new ones where they changed."""
        if await self._addresses.look():
            old = self._channel
            self._open()
            # Calls under way have their time to end.
            closing = asyncio.create_task(old.close(self._settings.request_timeout_ms / 1000))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Ends the channels; calls under way are cancelled."""
        for closing in list(self._closing):
            closing.cancel()
        await self._channel.close()

    def _open(self) -> None:
        self._channel = _open_channel(self._addresses, self._settings)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self._channel)


def _open_channel(addresses: Addresses, settings: Settings) -> grpc.aio.Channel:
    credentials = channel_credentials(settings)
    options = channel_options(settings)
    if addresses.authority:
        # Connected to by address, called and certified by name.
        options.append(("grpc.default_authority", addresses.authority))
    if credentials is None:
        return grpc.aio.insecure_channel(addresses.target, options=options)
    return grpc.aio.secure_channel(addresses.target, credentials, options=options)


def channel_options(settings: Settings) -> list[tuple[str, Any]]:
    """Options of a channel to a model server. gRPC's own reconnect waits grow to two minutes: far too long for us."""
    return [
        ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
        ("grpc.enable_http_proxy", 0),  # model servers are neighbours, whatever proxy the environment names
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", MAX_REPLY_BYTES),
        ("grpc.keepalive_time_ms", settings.keepalive_ms),
        ("grpc.keepalive_timeout_ms", max(settings.keepalive_ms // 2, 1)),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    ]
