"""The client of one model: TensorFlow Serving's PredictionService and ModelService.

What fails after all attempts counts towards the model's breaker.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn, Protocol

import grpc.aio

from schema import names
from schema.model_card import ModelCard
from serving.merger.core.errors import (
    DeadlineExceeded,
    LookbookError,
    ModelFailed,
    ModelUnavailable,
    Overloaded,
    ReleaseError,
    VersionGone,
)
from serving.merger.core.release import parse_card
from serving.merger.models import tensors
from serving.merger.models.circuit_breaker import CircuitBreaker
from serving.merger.models.messages import Found, ModelScores, Neighbour, ScoresRequest, put_inputs, read_scores
from serving.merger.models.model_server import VersionState
from serving.merger.models.retries import Retries, is_overload
from serving.merger.models.servers import Servers
from serving.merger.settings import Settings
from serving.stubs.tensorflow_serving.apis import predict_pb2

log = logging.getLogger(__name__)

CALLER_DEADLINE: Final = "CALLER_DEADLINE"
"""What telemetry calls a call that ended because its caller gave it little time."""

RETRY_SOON_S: Final = 1.0
RETRY_LATE_S: Final = 8.0
PATIENT_SHARE: Final = 0.5
"""Running out of time counts against the model only if it had at least this share of the time of a normal request."""


class Scorer(Protocol):
    """Asks one model for the scores of pictures."""

    async def scores(self, request: ScoresRequest, timeout_s: float) -> ModelScores:
        """As :meth:`ModelClient.scores`."""


class NeighbourFinder(Protocol):
    """Asks one model for the known pictures nearest to a picture."""

    async def neighbours(self, image: bytes, version: int, card: ModelCard, timeout_s: float) -> Found | None:
        """As :meth:`ModelClient.neighbours`."""


class CallObserver(Protocol):
    """Is told of every call to a model."""

    def model_call(self, model: str, code: str, seconds: float) -> None:
        """A call ended; ``code`` is the name of its gRPC status."""


class ModelClient:
    """Asks one model.

    Args:
        model: its name.
        servers: that have it; they may have others too.
        settings: deadlines, retries, breaker.
        observer: is told of each call.
    """

    def __init__(self, model: str, servers: Servers, settings: Settings, observer: CallObserver) -> None:
        self.model = model
        self._servers = servers
        self.has_returned = False
        """Whether a server that was away, or unknown, was there at the last look."""
        self.breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_open_ms / 1000)
        self._observer = observer
        self._patient_s = PATIENT_SHARE * settings.request_timeout_ms / 1000
        self._retries = Retries(settings.retry_attempts, settings.retry_backoff_ms / 1000)
        self._overloads = 0
        """In a row; the more, the longer callers are asked to stay away."""

    @property
    def servers(self) -> int:
        """How many model servers share the calls, as far as is known."""
        return self._servers.count(self.model)

    async def scores(self, request: ScoresRequest, timeout_s: float) -> ModelScores:
        """Full scores of N pictures by one version, in one call of so many seconds at most.

        Raises:
            VersionGone: the model does not have the version.
            ModelUnavailable, Overloaded, DeadlineExceeded, ModelFailed: no usable answer.
        """
        call = _request(self.model, request.version, request.signature)
        put_inputs(call, request)
        started = time.perf_counter()
        reply = await self._predict(call, timeout_s)
        elapsed_s = time.perf_counter() - started
        with self._sense(reply, request.version):
            return read_scores(reply, request, elapsed_s)

    async def neighbours(self, image: bytes, version: int, card: ModelCard, timeout_s: float) -> Found | None:
        """The known pictures nearest to an encoded picture, nearest first; None where the model cannot read it.

        Args:
            image: encoded.
            version: to ask.
            card: of it; its ``known_pictures`` are at least 1.
            timeout_s: for the call.

        Raises:
            VersionGone: the model does not have the version.
            ModelUnavailable, Overloaded, DeadlineExceeded, ModelFailed: no usable answer.
        """
        call = _request(self.model, version, names.NEIGHBOURS)
        tensors.put_bytes(call.inputs[names.IMAGE], [image])
        reply = await self._predict(call, timeout_s)
        count = min(names.NEIGHBOURS_LISTED, card.known_pictures)
        with self._sense(reply, version):
            texts = [
                tensors.to_texts(reply.outputs[name], 1, count)[0]
                for name in (names.NEIGHBOUR_IDS, names.NEIGHBOUR_LABELS, names.NEIGHBOUR_NAMES)
            ]
            similarities = tensors.to_rows(reply.outputs[names.NEIGHBOUR_SIMILARITIES], 1, count)[0]
            if not tensors.to_bools(reply.outputs[names.IMAGE_OK], 1)[0]:
                return None
            nearest = [Neighbour(*one) for one in zip(*texts, similarities, strict=True)]
            return Found(
                nearest,
                tensors.to_numbers(reply.outputs[names.EMBEDDING], 1)[0] if names.EMBEDDING in reply.outputs else None,
            )

    @contextmanager
    def _sense(self, reply: predict_pb2.PredictResponse, version: int) -> Iterator[None]:
        """Within, a ValueError says that the reply is nonsense; one of another version is.

        Raises:
            ModelFailed: it is.
        """
        try:
            if reply.model_spec.version.value != version:
                raise ValueError(f"version {reply.model_spec.version.value} answered, not {version}")
            yield
        except ValueError as error:
            log.exception("nonsense from a model", extra={"model": self.model, "version": version})
            raise ModelFailed(f"The {self.model} model answered nonsense: {error}.", model=self.model) from error

    async def card(self, version: int, timeout_s: float) -> ModelCard:
        """The card of one version.

        Raises:
            ReleaseError: there is none or it makes no sense.
            LookbookError: the model does not answer.
        """
        call = _request(self.model, version, names.METADATA)
        tensors.put_bytes(call.inputs[names.METADATA_KEYS], [names.CARD_KEY.encode()])
        reply = await self._predict(call, timeout_s)
        try:
            text = tensors.to_text(reply.outputs[names.METADATA_VALUES])
        except ValueError as error:
            raise ReleaseError(f"the card of {self.model} cannot be read: {error}") from error
        return parse_card(text, self.model)

    async def versions(self, timeout_s: float) -> list[VersionState]:
        """What the model servers say of each version, newest first; empty when they do not know the model.

        Raises:
            LookbookError: none answers.
        """
        try:
            states, self.has_returned = await self._servers.look(self.model, timeout_s)
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error
        return states

    def gave_up(self, timeout_s: float) -> None:
        """A caller's ``timeout_s`` ran out before its pictures could even be sent, because the calls before hang."""
        if timeout_s >= self._patient_s:
            self.breaker.failed()

    async def _predict(self, request: predict_pb2.PredictRequest, timeout_s: float) -> predict_pb2.PredictResponse:
        if timeout_s <= 0:
            raise DeadlineExceeded("No time was left to ask the models.", model=self.model)
        if not self.breaker.admit():
            self._refuse()
        started = time.perf_counter()
        code = grpc.StatusCode.CANCELLED
        try:
            reply = await self._retries.run(self._servers.attempts(), request, timeout_s)
            code = grpc.StatusCode.OK
            self._overloads = 0
            return reply
        except grpc.aio.AioRpcError as error:
            code = grpc.StatusCode.RESOURCE_EXHAUSTED if is_overload(error) else error.code()
            extra = {"model": self.model, "code": code.name, "detail": error.details()}
            log.warning("a model call failed", extra=extra)
            raise self._translated(error) from error
        finally:
            self._tell_breaker(code, timeout_s)
            # What a caller's own short deadline cut off says nothing of the model, and must wake nobody.
            is_impatient = code == grpc.StatusCode.DEADLINE_EXCEEDED and timeout_s < self._patient_s
            name = CALLER_DEADLINE if is_impatient else code.name
            self._observer.model_call(self.model, name, time.perf_counter() - started)

    def _refuse(self) -> NoReturn:
        self._observer.model_call(self.model, "BREAKER_OPEN", 0.0)
        wait_s = max(self.breaker.wait_s, 0.1)
        raise ModelUnavailable(
            f"The {self.model} model failed several times in a row and is left alone for {wait_s:.1f} s.",
            model=self.model,
            retry_after_s=wait_s,
        )

    def _tell_breaker(self, code: grpc.StatusCode, timeout_s: float) -> None:
        is_failure = code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)
        if is_failure or (code == grpc.StatusCode.DEADLINE_EXCEEDED and timeout_s >= self._patient_s):
            self.breaker.failed()
        elif code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED):
            self.breaker.left()
        else:
            self.breaker.succeeded()

    def _translated(self, error: grpc.aio.AioRpcError) -> LookbookError:
        """The error in our words: what the model server says may hold addresses and graph internals."""
        code, model = error.code(), self.model
        if is_overload(error):
            self._overloads += 1
            wait_s = min(RETRY_SOON_S * 2 ** (self._overloads - 1), RETRY_LATE_S)
            return Overloaded(f"The {model} model has too much to do.", model=model, retry_after_s=wait_s)
        if code == grpc.StatusCode.NOT_FOUND:
            return VersionGone(f"The {model} model no longer has the version.", model=model, retry_after_s=RETRY_SOON_S)
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
            return ModelUnavailable(f"The {model} model cannot be reached.", model=model, retry_after_s=RETRY_SOON_S)
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded(f"The {model} model did not answer in time.", model=model)
        return ModelFailed(f"The {model} model answered {code.name}.", model=model)


def _request(model: str, version: int, signature: str) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.version.value = version
    request.model_spec.signature_name = signature
    return request
