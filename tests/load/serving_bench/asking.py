"""The ways to ask, as cheap for the load generator as they can be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from schema import heads as table
from schema import names
from serving.merger.models import tensors
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.proto.lookbook.v1 import classifier_pb2_grpc
from serving.stubs.tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from tests.load.serving_bench.load import Ask


@asynccontextmanager
async def direct(target: str, callers: int) -> AsyncIterator[list[Ask]]:
    """Two concurrent Predict calls a picture."""
    async with grpc.aio.insecure_channel(target) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        async def ask(picture: bytes) -> None:
            await asyncio.gather(*(stub.Predict(_request(model, picture)) for model in table.MODELS))

        yield [ask] * callers


@asynccontextmanager
async def merger_grpc(target: str, callers: int) -> AsyncIterator[list[Ask]]:
    """One Classify call a picture."""
    async with grpc.aio.insecure_channel(target) as channel:
        stub = classifier_pb2_grpc.ClassifierStub(channel)

        async def ask(picture: bytes) -> None:
            answer = await stub.Classify(pb.ClassifyRequest(image=picture))
            assert len(answer.models) == len(table.MODELS), answer

        yield [ask] * callers


@asynccontextmanager
async def http(port: int, path: str, callers: int) -> AsyncIterator[list[Ask]]:
    """One POST a picture, each caller on a connection of its own that it keeps."""
    connections = [await _Connection.open(port, path) for _ in range(callers)]
    yield [connection.ask for connection in connections]
    for connection in connections:
        connection.close()


class _Connection:
    """As much of HTTP/1.1 as it takes: a client library would cost more than what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: "

    @classmethod
    async def open(cls, port: int, path: str) -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port), path)

    async def ask(self, picture: bytes) -> None:
        self._writer.write(f"{self._head}{len(picture)}\r\n\r\n".encode() + picture)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await self._reader.readexactly(length)
        assert head.startswith(b"http/1.1 200"), body

    def close(self) -> None:
        self._writer.close()


def _request(model: str, picture: bytes) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = names.SCORES
    tensors.put_bytes(request.inputs[names.IMAGE], [picture])
    return request
