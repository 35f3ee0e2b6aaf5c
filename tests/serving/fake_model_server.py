"""A model server that does what a test tells it: the official services, colours for answers, faults on demand.

It knows the tiny models' products: version ``v`` answers as a release written with ``weights=v`` would, so that an
answer made from two versions is no answer of any.
"""

import argparse
import asyncio
import json
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from schema import heads as table
from schema import names
from schema.heads import Head
from serving.stubs.tensorflow.core.framework import types_pb2
from serving.stubs.tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tests import tiny_models
from tests.serving.fake_answers import SURE, hear, images_of, place, put, score_row, tell_features
from tests.tiny_models import PRODUCTS, colour_of, head_labels

State = get_model_status_pb2.ModelVersionStatus.State
FAMILIARITY = {
    "review_threshold": 0.5, "false_alarms": 0.05, "scale": 3.0, "signals": {"energy": {"mean": -1.5, "deviation": 2.0}}
}  # fmt: skip
MEMORY = {"neighbours": 4, "sharpness": 30.0, "share": 0.9}
"""Both as a card has them."""


@dataclass
class FakeModel:
    """One model of the fake server; every attribute may be changed while it runs."""

    versions: dict[int, str] = field(default_factory=lambda: {1: "AVAILABLE"})
    delay_s: float = 0.0
    predict_error: grpc.StatusCode | None = None
    predict_words: str = "told to fail: 10.0.0.7:8500 node StatefulPartitionedCall/secret"
    failures_left: int | None = None  # with predict_error: so many calls fail, then none
    status_error: grpc.StatusCode | None = None
    status_delay_s: float = 0.0
    bad_looks_left: int | None = None  # with status_error or status_delay_s: so many looks fare so, then none
    looks: int = 0
    spoil: Callable[[predict_pb2.PredictResponse], None] | None = None
    card: Callable[[dict[str, Any]], None] | None = None  # changes the card
    attributes: tuple[str | Head, ...] = ()  # of the release; each model has its own of them
    familiarity: float | None = None  # of every picture; None: the release cannot tell
    unsure: tuple[str, ...] = ()  # heads whose best label has a half
    shift: int = 0
    sure: float = SURE
    unreadable: bool = False
    hears: bool = False  # names: a colour in one is a word that it knows
    remembers: bool = False  # so that corrections can count at once
    shares: str = ""  # digest of the features that it tells or takes
    signatures: list[str] = field(default_factory=list)  # asked for
    calls: list[tuple[int, int]] = field(default_factory=list)  # version asked, number of pictures
    images: list[bytes] = field(default_factory=list)  # asked with
    active: int = 0


class FakeModelServer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Both models behind one port."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.models = {model: FakeModel() for model in table.MODELS}
        self.port = 0
        self.credentials: grpc.ServerCredentials | None = None
        self._server: grpc.aio.Server | None = None

    @property
    def target(self) -> str:
        return self.host if self.host.startswith("unix:") else f"{self.host}:{self.port}"

    def reset(self) -> None:
        self.models.update({model: FakeModel() for model in table.MODELS})

    def carry(self, *attributes: str | Head) -> None:
        """From the next release that is looked at: heads outside the taxonomy."""
        for model in self.models.values():
            model.attributes = attributes

    def share(self, **digests: str) -> None:
        """From the next release that is looked at: the article type's model tells what the category's answers from."""
        for name, model in self.models.items():
            model.shares = digests.get(name, "a digest")
        self.models[names.ARTICLE_TYPE].remembers = True

    def serve_versions(self, *versions: int) -> None:
        for model in self.models.values():
            model.versions = dict.fromkeys(versions, "AVAILABLE")

    async def start(self) -> None:
        """Listens, on the same port as before if there was one."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self, self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Status(self), self._server)
        address = self.target
        if self.credentials:
            self.port = self._server.add_secure_port(address, self.credentials)
        else:
            self.port = self._server.add_insecure_port(address)
        await self._server.start()

    async def stop(self) -> None:
        if self._server:
            await self._server.stop(None)

    async def Predict(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        name, version = request.model_spec.name, request.model_spec.version.value
        model = self.models[name]
        if request.model_spec.signature_name == names.METADATA:
            return await self._metadata(name, model, request, context)
        images, is_read = images_of(request)
        model.calls.append((version, len(images)))
        model.images += images
        model.active += 1
        try:
            await asyncio.sleep(model.delay_s)
        finally:
            model.active -= 1
        await _fail(model, context)
        if model.versions.get(version) != "AVAILABLE":
            words = f"Servable not found for request: Specific({name}, {version})"
            await context.abort(grpc.StatusCode.NOT_FOUND, words)
        if request.model_spec.signature_name == names.NEIGHBOURS:
            reply = self._neighbours(model, version, images)
        else:
            reply = self._answer(name, model, request, images, is_read)
        if model.spoil:
            model.spoil(reply)
        return reply

    def _answer(self, name: str, model: FakeModel, request: Any, images: list[bytes], is_read: list[bool]) -> Any:
        version, signature = request.model_spec.version.value, request.model_spec.signature_name
        model.signatures.append(signature)
        reply = self._scores(name, model, version, images, is_read)
        assert (names.NAME in request.inputs) == (
            signature == names.SCORES_WITH_NAME or (signature != names.SCORES and model.hears)
        ), "a name is given exactly where the signature has one"
        if names.NAME in request.inputs:
            given = [one.decode() for one in request.inputs[names.NAME].string_val]
            assert len(given) == len(images), "each picture has a name, be it empty"
            heads = [head.name for head in tiny_models.heads_of(name, model.attributes)]
            hear(reply, heads, version, images, given)
        if signature == names.SCORES_WITH_MEMORY:
            place(reply, images)
            if model.shares:
                tell_features(reply, images, not model.unreadable)
        return reply

    async def _metadata(self, name: str, model: FakeModel, request: Any, context: grpc.aio.ServicerContext) -> Any:
        version = request.model_spec.version.value
        if model.versions.get(version) != "AVAILABLE":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such version")
        document = make_card(name, model.attributes)
        if model.familiarity is not None:
            document["familiarity"] = FAMILIARITY
        if model.hears:
            document["name_weights"] = dict.fromkeys(document["heads"], 1.0)
        if model.remembers and name == names.ARTICLE_TYPE:
            document["memory"] = MEMORY
        document["shared_features"] = model.shares
        if model.card:
            model.card(document)
        reply = predict_pb2.PredictResponse(model_spec=request.model_spec)
        put(reply, names.METADATA_VALUES, types_pb2.DT_STRING, [1]).string_val.append(json.dumps(document).encode())
        return reply

    def _neighbours(self, model: FakeModel, version: int, images: list[bytes]) -> Any:
        """The products in the order of :data:`PRODUCTS`, that of the picture's colour first."""
        reply = predict_pb2.PredictResponse()
        reply.model_spec.name, reply.model_spec.version.value = names.ARTICLE_TYPE, version + model.shift
        count = len(PRODUCTS)
        for name, texts in tiny_models.known_pictures(version).items():
            tensor = put(reply, name, types_pb2.DT_STRING, [len(images), count])
            for image in images:
                tensor.string_val.extend(one.encode() for one in nearest_first(image, texts))
        tensor = put(reply, names.NEIGHBOUR_SIMILARITIES, types_pb2.DT_FLOAT, [len(images), count])
        tensor.float_val.extend([1 - 0.1 * rank for rank in range(count)] * len(images))
        ok = put(reply, names.IMAGE_OK, types_pb2.DT_BOOL, [len(images)])
        ok.bool_val.extend([not model.unreadable] * len(images))
        return reply

    def _scores(self, name: str, model: FakeModel, version: int, images: list[bytes], is_read: list[bool]) -> Any:
        reply = predict_pb2.PredictResponse()
        reply.model_spec.name = name
        reply.model_spec.version.value = version
        reply.model_spec.signature_name = names.SCORES
        for head in (head.name for head in tiny_models.heads_of(name, model.attributes)):
            sure = 0.5 if head in model.unsure else model.sure
            rows = [score_row(head, image, version + model.shift, sure) for image in images]
            shape = [len(images), len(head_labels(head))]
            tensor = put(reply, head, types_pb2.DT_FLOAT, shape)
            tensor.tensor_content = array("f", [score for row in rows for score in row]).tobytes()
        ok = put(reply, names.IMAGE_OK, types_pb2.DT_BOOL, [len(images)])
        ok.bool_val.extend(one and not model.unreadable for one in is_read)
        if model.familiarity is not None:
            tensor = put(reply, names.FAMILIARITY, types_pb2.DT_FLOAT, [len(images)])
            tensor.float_val.extend([model.familiarity] * len(images))
        return reply


class _Status(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, server: FakeModelServer) -> None:
        self._server = server

    async def GetModelStatus(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        model = self._server.models[request.model_spec.name]
        model.looks += 1
        await _be_bad(model, context)
        reply = get_model_status_pb2.GetModelStatusResponse()
        for version, state in model.versions.items():
            reply.model_version_status.add(version=version, state=State.Value(state))
        return reply


async def _be_bad(model: FakeModel, context: grpc.aio.ServicerContext) -> None:
    if model.bad_looks_left == 0:
        return
    if model.bad_looks_left is not None:
        model.bad_looks_left -= 1
    await asyncio.sleep(model.status_delay_s)
    if model.status_error:
        await context.abort(model.status_error, "told to fail")


async def _fail(model: FakeModel, context: grpc.aio.ServicerContext) -> None:
    if model.predict_error is None or model.failures_left == 0:
        return
    if model.failures_left is not None:
        model.failures_left -= 1
    await context.abort(model.predict_error, model.predict_words)


def nearest_first(image: bytes, texts: list[str]) -> list[str]:
    """What stands for each product, that of the picture's colour first."""
    first = tiny_models.COLOURS.index(colour_of(image) or tiny_models.COLOURS[0])
    return [texts[first], *texts[:first], *texts[first + 1 :]]


def make_card(model: str, attributes: Iterable[str | Head] = ()) -> dict[str, Any]:
    """The card of ``model``, as the tiny models have it, for a test to change."""
    document: dict[str, Any] = json.loads(tiny_models.make_card(model, attributes, profile="fake").to_json())
    return document


async def serve_alone(server: FakeModelServer, port: int) -> None:
    """Stands in for ``tensorflow_model_server`` as a process."""
    server.port = port
    await server.start()
    await asyncio.Event().wait()


def main() -> None:
    """Takes the flags of ``tensorflow_model_server`` and heeds ``--port``, or the socket where it is 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--grpc_socket_path", default="")
    flags = parser.parse_known_args()[0]
    host = "127.0.0.1" if flags.port else f"unix:{flags.grpc_socket_path}"
    asyncio.run(serve_alone(FakeModelServer(host), flags.port))


if __name__ == "__main__":
    main()
