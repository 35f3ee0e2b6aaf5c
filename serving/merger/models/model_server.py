"""One model server: a channel to it, and what was heard of it last."""

import json
from dataclasses import dataclass
from typing import Any, Final

import grpc.aio

from serving.merger.models.retries import is_overload, is_unreached
from serving.merger.settings import Settings
from serving.stubs.tensorflow_serving.apis import (
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

MAX_REPLY_BYTES: Final = 64 * 2**20
_STATES: Final = get_model_status_pb2.ModelVersionStatus.State


@dataclass(frozen=True)
class VersionState:
    """What a model server says of one version."""

    version: int
    state: str
    message: str

    @property
    def is_available(self) -> bool:
        """Whether it answers calls."""
        return self.state == "AVAILABLE"

    @property
    def is_loading(self) -> bool:
        """Whether it takes the server's CPUs to make it ready."""
        return self.state in ("START", "LOADING")


class ModelServer:
    """One server.

    Args:
        target: gRPC target of it.
        authority: the name that it goes by, if that is not its target.
        settings: deadlines.
        credentials: of TLS; None without.
    """

    def __init__(
        self, target: str, authority: str, settings: Settings, credentials: grpc.ChannelCredentials | None
    ) -> None:
        self._channel = _open_channel(target, authority, settings, credentials)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self.heard: dict[str, list[VersionState]] = {}
        """Model → its versions, as last heard; nothing of one whose last look failed."""
        self.is_lost = False
        """Whether a call did not get here, and no look has since."""
        self.under_way = 0
        self.turn = 0
        """The last call's number, by the count of whoever shares them out."""

    @property
    def is_loading(self) -> bool:
        """Whether it makes a version of any model ready, which slows down all that it answers."""
        return any(state.is_loading for states in self.heard.values() for state in states)

    def answers(self, model: str) -> bool:
        """Whether it was there for that model the last time that anybody asked."""
        return model in self.heard and not self.is_lost

    def has(self, model: str, version: int) -> bool:
        """Whether it can answer for that version, as far as is known."""
        states = self.heard[model] if self.answers(model) else []
        return any(state.version == version and state.is_available for state in states)

    async def look(self, model: str, timeout_s: float) -> bool:
        """Asks for the versions of a model, and keeps what it hears; True if nothing was known of it before.

        Raises:
            grpc.aio.AioRpcError: no answer.
        """
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_pb2.ModelSpec(name=model))
        is_new = model not in self.heard
        try:
            reply = await self._models.GetModelStatus(request, timeout=timeout_s)
            self.heard[model] = [
                VersionState(status.version, _STATES.Name(status.state), status.status.error_message)
                for status in reply.model_version_status
            ]
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                self.heard[model], self.is_lost = [], False
                return is_new
            # One that has too much to do is there, and what was heard of it last still holds.
            if not is_overload(error):
                self.heard.pop(model, None)
            raise
        self.is_lost = False
        return is_new

    async def predict(self, request: predict_pb2.PredictRequest, timeout_s: float) -> predict_pb2.PredictResponse:
        """One call.

        Raises:
            grpc.aio.AioRpcError: no answer.
        """
        self.under_way += 1
        try:
            reply: predict_pb2.PredictResponse = await self._predictions.Predict(request, timeout=timeout_s)
            return reply
        except grpc.aio.AioRpcError as error:
            self.is_lost |= is_unreached(error)
            raise
        finally:
            self.under_way -= 1

    async def close(self, grace_s: float | None = None) -> None:
        """Ends the channel; calls under way have so long to end."""
        await self._channel.close(grace_s)


def _open_channel(
    target: str, authority: str, settings: Settings, credentials: grpc.ChannelCredentials | None
) -> grpc.aio.Channel:
    options = channel_options(settings)
    if authority:
        # Connected to by address, called and certified by name.
        options.append(("grpc.default_authority", authority))
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options)
    return grpc.aio.secure_channel(target, credentials, options=options)


def channel_options(settings: Settings) -> list[tuple[str, Any]]:
    """Options of a channel to a model server. gRPC's own reconnect waits grow to two minutes: far too long for us."""
    return [
        # Of a target that gRPC alone can look up, which may be several.
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
