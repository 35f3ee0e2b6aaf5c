"""The server under test, and requests that fit whatever it serves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc

from serving.stubs.tensorflow.core.framework import tensor_pb2, types_pb2
from serving.stubs.tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tests import tiny_models

PATIENCE_S: Final = 60.0
DEFAULT_SIGNATURE: Final = "serving_default"
SIGNATURE_DEF: Final = "signature_def"
NOBODY: Final = "no_such_model"
NEVER: Final = 987_654_321
"""A version that no release has."""


@dataclass(frozen=True)
class Server:
    """A model server.

    Args:
        target: its gRPC address.
        models: names of models that it serves.
        channel: to it.
    """

    target: str
    models: Sequence[str]
    channel: grpc.Channel

    @property
    def predictions(self) -> Any:
        """Its PredictionService."""
        return prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    @property
    def management(self) -> Any:
        """Its ModelService."""
        return model_service_pb2_grpc.ModelServiceStub(self.channel)

    def versions(self, model: str) -> list[int]:
        """The versions of ``model`` that answer, oldest first."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_pb2.ModelSpec(name=model))
        found = self.management.GetModelStatus(request, timeout=PATIENCE_S).model_version_status
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        return sorted(status.version for status in found if status.state == available)

    def signatures(self, model: str) -> dict[str, Any]:
        """The signatures of ``model`` by name."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[SIGNATURE_DEF])
        request.model_spec.name = model
        reply = self.predictions.GetModelMetadata(request, timeout=PATIENCE_S)
        found = get_model_metadata_pb2.SignatureDefMap()
        assert reply.metadata[SIGNATURE_DEF].Unpack(found)
        return dict(found.signature_def)

    def request(self, model: str, rows: int = 1, **spec: Any) -> predict_pb2.PredictRequest:
        """A Predict request for the default signature with ``rows`` in each input: pictures, or zeros."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        if "version" in spec:
            request.model_spec.version.value = spec["version"]
        for name, info in self.signatures(model)[DEFAULT_SIGNATURE].inputs.items():
            request.inputs[name].CopyFrom(_tensor(info, rows))
        return request

    def ask(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        """The answer to a Predict request."""
        return self.predictions.Predict(request, timeout=PATIENCE_S)


def _tensor(info: Any, rows: int) -> tensor_pb2.TensorProto:
    sizes = [dimension.size for dimension in info.tensor_shape.dim]
    shape = [rows if i == 0 else max(size, 1) for i, size in enumerate(sizes)]
    tensor = tensor_pb2.TensorProto(dtype=info.dtype)
    count = 1
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
        count *= size
    if info.dtype == types_pb2.DT_STRING:
        colours = tiny_models.COLOURS
        tensor.string_val.extend(tiny_models.picture(colours[i % len(colours)]) for i in range(count))
    else:
        tensor.tensor_content = b"\0" * count * _WIDTH.get(info.dtype, 4)
    return tensor


_WIDTH: Final = {
    types_pb2.DT_FLOAT: 4,
    types_pb2.DT_DOUBLE: 8,
    types_pb2.DT_INT32: 4,
    types_pb2.DT_INT64: 8,
    types_pb2.DT_UINT8: 1,
    types_pb2.DT_BOOL: 1,
}
"""Bytes of a number, by data type."""
