"""The contract of the gRPC API, through the official stubs: every answer and every error."""

import re
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from schema import heads as table
from schema import names
from tests import tiny_models
from tests.model_server.running import RunningServer, best_labels, predict_request

RED = tiny_models.picture("red")
GRAPH_INTERNALS = re.compile(r"\{\{|\[\[|node |StatefulPartitionedCall|__inference|/site-packages/")


@pytest.mark.parametrize("model", table.MODELS)
def test_predict(server: RunningServer, model: str) -> None:
    """The newest version answers when none is asked for, and says which it is."""
    response = server.predict(model, *tiny_models.COLOURS)
    assert response.model_spec.name == model
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == names.SERVING_DEFAULT
    for head in [head.name for head in table.of_model(model)]:
        wanted = [tiny_models.expected(colour, weights=1)[head] for colour in tiny_models.COLOURS]
        assert best_labels(response, head) == wanted


@pytest.mark.parametrize(("version", "weights"), [(1, 0), (2, 1)])
def test_predict_by_version(server: RunningServer, version: int, weights: int) -> None:
    """A version asked for by number is the one that answers."""
    response = server.predict(names.ARTICLE_TYPE, "red", version=version)
    assert response.model_spec.version.value == version
    expected = tiny_models.expected("red", weights)[names.ARTICLE_TYPE]
    assert best_labels(response, names.ARTICLE_TYPE) == [expected]


def test_predict_signatures(server: RunningServer) -> None:
    """Each signature of the contract can be asked for by its name, with the tensors it declares."""
    scores = server.predict(names.CATEGORY, "red", "blue", signature=names.SCORES)
    assert set(scores.outputs) == {*(head.name for head in table.of_model(names.CATEGORY)), names.IMAGE_OK}
    assert tf.make_ndarray(scores.outputs[names.MASTER_CATEGORY]).shape == (2, 3)
    assert scores.outputs[names.MASTER_CATEGORY].float_val, "numbers come one by one, as from TensorFlow Serving"
    request = predict_request(names.CATEGORY, [], names.METADATA)
    del request.inputs[names.IMAGE]
    request.inputs[names.METADATA_KEYS].CopyFrom(tf.make_tensor_proto([names.CARD_KEY]))
    card = tf.make_ndarray(server.predictions.Predict(request).outputs[names.METADATA_VALUES])[0]
    assert b'"taxonomy"' in card


def test_same_answer_as_in_process(server: RunningServer, shelf: Any, tmp_path: Any) -> None:
    """The wire changes no bit: the scores are those of the signature called in process."""
    shelf.push(tmp_path, "other", 1)
    signature = tf.saved_model.load(str(tmp_path / names.CATEGORY / "1")).signatures[names.SCORES]
    here = signature(image_bytes=tf.constant([RED, b"broken"]))
    there = server.predictions.Predict(predict_request(names.CATEGORY, [RED, b"broken"], names.SCORES))
    for name, tensor in here.items():
        np.testing.assert_array_equal(tf.make_ndarray(there.outputs[name]), tensor.numpy())


def test_output_filter(server: RunningServer) -> None:
    """Only the outputs that were asked for come back."""
    request = predict_request(names.CATEGORY, [RED], names.SCORES)
    request.output_filter.append(names.SUB_CATEGORY)
    assert set(server.predictions.Predict(request).outputs) == {names.SUB_CATEGORY}


def test_no_pictures(server: RunningServer) -> None:
    """No pictures get no rows, and are no error."""
    outputs = server.predict(names.CATEGORY, signature=names.SCORES).outputs
    assert tf.make_ndarray(outputs[names.SUB_CATEGORY]).shape == (0, 4)


def test_large_call_is_cut_up(server: RunningServer) -> None:
    """A call of more pictures than a run takes is answered whole and in order."""
    colours = [tiny_models.COLOURS[i % 6] for i in range(100)]
    response = server.predict(names.ARTICLE_TYPE, *colours)
    wanted = [tiny_models.expected(colour, weights=1)[names.ARTICLE_TYPE] for colour in colours]
    assert best_labels(response, names.ARTICLE_TYPE) == wanted


def set_input(name: str, values: Any, dtype: Any = None, shape: Any = None) -> Callable[[PredictRequest], Any]:
    proto = tf.make_tensor_proto(values, dtype, shape)
    return lambda request: request.inputs[name].CopyFrom(proto)


def lie_about_shape(request: PredictRequest) -> None:
    request.inputs[names.IMAGE].tensor_shape.dim[0].size = 10**12


PREDICT_ERRORS: dict[str, tuple[Callable[[PredictRequest], Any], grpc.StatusCode, str]] = {
    "no name": (lambda r: r.model_spec.ClearField("name"), grpc.StatusCode.INVALID_ARGUMENT, "no name specified"),
    "unknown model": (
        lambda r: setattr(r.model_spec, "name", "shoes"),
        grpc.StatusCode.NOT_FOUND,
        r"Servable not found for request: Latest\(shoes\)",
    ),
    "unknown version": (
        lambda r: setattr(r.model_spec.version, "value", 77),
        grpc.StatusCode.NOT_FOUND,
        r"Servable not found for request: Specific\(category, 77\)",
    ),
    "unknown label": (
        lambda r: setattr(r.model_spec, "version_label", "canary"),
        grpc.StatusCode.INVALID_ARGUMENT,
        "Unrecognized servable version label: canary",
    ),
    "unknown signature": (
        lambda r: setattr(r.model_spec, "signature_name", "nope"),
        grpc.StatusCode.FAILED_PRECONDITION,
        'Serving signature key "nope" not found.',
    ),
    "missing input": (
        lambda r: r.inputs.clear(),
        grpc.StatusCode.INVALID_ARGUMENT,
        r"input size does not match signature: 0!=1 .* Missing but required: \{image_bytes\}",
    ),
    "extra input": (
        set_input("more", [1]),
        grpc.StatusCode.INVALID_ARGUMENT,
        r"2!=1 .* Sent extra: \{more\}. Missing but required: \{\}",
    ),
    "wrong dtype": (
        set_input(names.IMAGE, [1.0]),
        grpc.StatusCode.INVALID_ARGUMENT,
        "Expected input image_bytes to be string but get float",
    ),
    "no dtype": (
        lambda r: setattr(r.inputs[names.IMAGE], "dtype", 999),
        grpc.StatusCode.INVALID_ARGUMENT,
        "Expected input image_bytes to be string but get 999",
    ),
    "endless name": (
        lambda r: setattr(r.model_spec, "name", "x" * 100_000),
        grpc.StatusCode.NOT_FOUND,
        r"Servable not found for request: Latest\(xxx",
    ),
    "wrong shape": (
        set_input(names.IMAGE, [[b"a"]]),
        grpc.StatusCode.INVALID_ARGUMENT,
        r"Expected input image_bytes to have shape \[\?\] but get \[1, 1\]",
    ),
    "shape without values": (lie_about_shape, grpc.StatusCode.INVALID_ARGUMENT, "elements are allowed"),
    "too many rows": (
        set_input(names.IMAGE, [b""] * 129),
        grpc.StatusCode.INVALID_ARGUMENT,
        "Task size 129 is larger than maximum input batch size 128",
    ),
    "unknown output": (
        lambda r: r.output_filter.append("nope"),
        grpc.StatusCode.INVALID_ARGUMENT,
        "output tensor alias not found in signature: nope Outputs expected to be in the set {image_ok,",
    ),
    "output twice": (
        lambda r: r.output_filter.extend([names.IMAGE_OK] * 2),
        grpc.StatusCode.INVALID_ARGUMENT,
        "duplicate output tensor alias: image_ok",
    ),
}


@pytest.mark.parametrize(("change", "code", "message"), PREDICT_ERRORS.values(), ids=list(PREDICT_ERRORS))
def test_predict_errors(
    server: RunningServer, change: Callable[[PredictRequest], Any], code: grpc.StatusCode, message: str
) -> None:
    """Each mistake gets TensorFlow Serving's code for it, and a message that names it but not the graph."""
    request = predict_request(names.CATEGORY, [RED])
    change(request)
    with pytest.raises(grpc.RpcError) as caught:
        server.predictions.Predict(request)
    assert caught.value.code() is code
    assert re.search(message, caught.value.details())
    assert not GRAPH_INTERNALS.search(caught.value.details())


def test_unimplemented(server: RunningServer) -> None:
    """What this server lacks says so."""
    with pytest.raises(grpc.RpcError) as caught:
        server.predictions.Classify(ClassificationRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def metadata_request(model: str, *fields: str) -> GetModelMetadataRequest:
    request = GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = model
    return request


def test_metadata(server: RunningServer) -> None:
    """GetModelMetadata gives the signatures as the SavedModel has them."""
    response = server.predictions.GetModelMetadata(metadata_request(names.CATEGORY, "signature_def"))
    assert response.model_spec.version.value == 2
    signatures = SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert {names.SERVING_DEFAULT, names.SCORES, names.METADATA} <= set(signatures.signature_def)
    assert set(signatures.signature_def[names.SCORES].inputs) == {names.IMAGE}


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (GetModelMetadataRequest(metadata_field=["signature_def"]), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (metadata_request("category"), "INVALID_ARGUMENT", "must specify at least one metadata_field"),
        (metadata_request("category", "weights"), "INVALID_ARGUMENT", "Metadata field weights is not supported"),
        (metadata_request("shoes", "signature_def"), "NOT_FOUND", r"Latest\(shoes\)"),
    ],
)
def test_metadata_errors(server: RunningServer, request_: Any, code: str, message: str) -> None:
    """A wrong GetModelMetadata gets TensorFlow Serving's code and words."""
    with pytest.raises(grpc.RpcError, match=message) as caught:
        server.predictions.GetModelMetadata(request_)
    assert caught.value.code().name == code


def test_status(server: RunningServer) -> None:
    """GetModelStatus lists every version, newest first, or the one asked for."""
    assert server.states(names.CATEGORY) == {2: "AVAILABLE", 1: "AVAILABLE"}
    assert list(server.states(names.CATEGORY)) == [2, 1]
    request = GetModelStatusRequest()
    request.model_spec.name = names.CATEGORY
    request.model_spec.version.value = 1
    (status,) = server.models.GetModelStatus(request).model_version_status
    assert (status.version, status.status.error_code) == (1, 0)


@pytest.mark.parametrize(
    ("name", "version", "code", "message"),
    [
        (None, None, "INVALID_ARGUMENT", "Missing ModelSpec"),
        ("shoes", None, "NOT_FOUND", "Could not find any versions of model shoes"),
        ("category", 9, "NOT_FOUND", "Could not find version 9 of model category"),
    ],
)
def test_status_errors(server: RunningServer, name: str, version: int, code: str, message: str) -> None:
    """A wrong GetModelStatus gets TensorFlow Serving's code and words."""
    request = GetModelStatusRequest()
    if name:
        request.model_spec.name = name
    if version:
        request.model_spec.version.value = version
    with pytest.raises(grpc.RpcError, match=message) as caught:
        server.models.GetModelStatus(request)
    assert caught.value.code().name == code


def reload_request(*models: tuple[str, str, str]) -> ReloadConfigRequest:
    request = ReloadConfigRequest()
    for name, base_path, platform in models:
        request.config.model_config_list.config.add(name=name, base_path=base_path, model_platform=platform)
    return request


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (ReloadConfigRequest(), "INVALID_ARGUMENT", "Only ModelConfigList is currently supported"),
        (reload_request(*[("a", "/tmp", "tensorflow")] * 2), "INVALID_ARGUMENT", "multiple times"),
        (reload_request(("a", "tmp", "tensorflow")), "INVALID_ARGUMENT", "absolute path"),
        (reload_request(("a", "/tmp", "onnx")), "INVALID_ARGUMENT", "unsupported platform onnx"),
        (reload_request(("a", "/no/such", "tensorflow")), "NOT_FOUND", "Could not find base path /no/such"),
    ],
)  # fmt: skip
def test_reload_errors(server: RunningServer, request_: Any, code: str, message: str) -> None:
    """A config that can't be served is refused and changes nothing."""
    with pytest.raises(grpc.RpcError, match=message) as caught:
        server.models.HandleReloadConfigRequest(request_)
    assert caught.value.code().name == code
    assert server.states(names.CATEGORY) == {2: "AVAILABLE", 1: "AVAILABLE"}


def test_health(server: RunningServer) -> None:
    """The standard health service says SERVING, overall and for each service."""
    stub = health_pb2_grpc.HealthStub(server.channel)
    for service in ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"):
        response = stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection(server: RunningServer) -> None:
    """A client without the protos finds the services."""
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (response,) = stub.ServerReflectionInfo(iter([request]))
    services = {service.name for service in response.list_services_response.service}
    assert {"tensorflow.serving.PredictionService", "grpc.health.v1.Health"} <= services
