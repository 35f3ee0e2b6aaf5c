"""What a model server says of its models."""

from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.stubs.tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
)
from tests.contract.server import DEFAULT_SIGNATURE, NEVER, NOBODY, PATIENCE_S, SIGNATURE_DEF, Server


def refusal(method: Any, request: Any) -> tuple[str, str]:
    """The code and words of a refusal."""
    with pytest.raises(grpc.RpcError) as caught:
        method(request, timeout=PATIENCE_S)
    error: Any = caught.value
    return error.code().name, error.details()


def test_each_model_is_available(server: Server) -> None:
    """Every model has a version that answers, and its status bears no error."""
    for name in server.models:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_pb2.ModelSpec(name=name))
        newest = server.versions(name)[-1]
        request.model_spec.version.value = newest
        (status,) = server.management.GetModelStatus(request, timeout=PATIENCE_S).model_version_status
        assert (status.version, status.state) == (newest, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
        assert (status.status.error_code, status.status.error_message) == (0, "")


@pytest.mark.parametrize(
    ("spec", "code", "words"),
    [
        (None, "INVALID_ARGUMENT", "Missing ModelSpec"),
        ({"name": NOBODY}, "NOT_FOUND", f"Could not find any versions of model {NOBODY}"),
    ],
)
def test_status_of_what_is_not_there(server: Server, spec: Any, code: str, words: str) -> None:
    """A status that cannot be told has TensorFlow Serving's code and words; the merger goes by NOT_FOUND."""
    request = get_model_status_pb2.GetModelStatusRequest()
    if spec:
        request.model_spec.CopyFrom(model_pb2.ModelSpec(**spec))
    assert refusal(server.management.GetModelStatus, request) == (code, words)


def test_status_of_a_version_that_is_not_there(server: Server, model: str) -> None:
    """A version that never was is NOT_FOUND."""
    request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_pb2.ModelSpec(name=model))
    request.model_spec.version.value = NEVER
    words = f"Could not find version {NEVER} of model {model}"
    assert refusal(server.management.GetModelStatus, request) == ("NOT_FOUND", words)


def test_metadata(server: Server) -> None:
    """Every model describes its default signature."""
    for name in server.models:
        signature = server.signatures(name)[DEFAULT_SIGNATURE]
        assert signature.inputs and signature.outputs


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [("", [SIGNATURE_DEF], "INVALID_ARGUMENT"), (NOBODY, [SIGNATURE_DEF], "NOT_FOUND"), (None, [], "INVALID_ARGUMENT")],
)
def test_metadata_errors(server: Server, model: str, name: str | None, fields: list[str], code: str) -> None:
    """Metadata that cannot be told has TensorFlow Serving's code."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = model if name is None else name
    assert refusal(server.predictions.GetModelMetadata, request)[0] == code


def test_an_empty_configuration_is_refused(server: Server) -> None:
    """HandleReloadConfigRequest is there, and takes nothing but a list of models; nothing has changed."""
    before = {name: server.versions(name) for name in server.models}
    request = model_management_pb2.ReloadConfigRequest()
    code, words = refusal(server.management.HandleReloadConfigRequest, request)
    assert (code, "Only ModelConfigList is currently supported" in words) == ("INVALID_ARGUMENT", True)
    assert {name: server.versions(name) for name in server.models} == before


def test_health(server: Server) -> None:
    """The health service says SERVING where it is switched on (--enable_grpc_healthcheck_service), as our flags do."""
    try:
        reply = health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
    except grpc.RpcError as error:
        code: Any = error
        assert code.code() is grpc.StatusCode.UNIMPLEMENTED
        pytest.skip(f"{server.target} has no health service: --enable_grpc_healthcheck_service")
    assert reply.status == health_pb2.HealthCheckResponse.SERVING
