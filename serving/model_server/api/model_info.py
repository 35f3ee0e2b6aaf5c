"""Answers about the models: their versions' states and their signatures."""

from grpc import StatusCode
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse

from serving.model_server.errors import ServingError, invalid_argument, status_number
from serving.model_server.models.manager import ModelManager
from serving.model_server.models.versions import Version

SIGNATURE_DEF = "signature_def"


def model_status(manager: ModelManager, request: GetModelStatusRequest) -> GetModelStatusResponse:
    """The state of each version of a model, newest first, or of the one that the request names.

    Raises:
        ServingError: INVALID_ARGUMENT, no ModelSpec or an unknown label; NOT_FOUND, no such model or version.
    """
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    name = request.model_spec.name
    versions = dict(manager.versions(name))
    number = manager.resolve_version(request.model_spec)
    if number is not None:
        if number not in versions:
            raise ServingError(StatusCode.NOT_FOUND, f"Could not find version {number} of model {name}")
        versions = {number: versions[number]}
    if not versions:
        raise ServingError(StatusCode.NOT_FOUND, f"Could not find any versions of model {name}")
    response = GetModelStatusResponse()
    for _, version in sorted(versions.items(), reverse=True):
        _add_status(response, version)
    return response


def _add_status(response: GetModelStatusResponse, version: Version) -> None:
    entry = response.model_version_status.add(version=version.number, state=version.state.value)
    entry.status.SetInParent()
    if version.error:
        entry.status.error_code = status_number(version.error.code)
        entry.status.error_message = str(version.error)


def model_metadata(manager: ModelManager, request: GetModelMetadataRequest) -> GetModelMetadataResponse:
    """The signatures of a version.

    Raises:
        ServingError: INVALID_ARGUMENT, no ModelSpec or another field than ``signature_def``; NOT_FOUND, no such model.
    """
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURE_DEF:
            raise invalid_argument(f"Metadata field {field} is not supported")
    signatures = SignatureDefMap()
    with manager.use(request.model_spec) as version:
        for name, definition in version.signature_defs.items():
            signatures.signature_def[name].CopyFrom(definition)
    response = GetModelMetadataResponse()
    response.model_spec.name = version.model
    response.model_spec.version.value = version.number
    response.metadata[SIGNATURE_DEF].Pack(signatures)
    return response
