"""Warm-up: the first runs of a model, which optimise its graph, are spent on recorded requests."""

import logging
import time
from pathlib import Path
from typing import Final

import tensorflow as tf
from google.protobuf.message import DecodeError
from grpc import StatusCode
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving.model_server.errors import ServingError, invalid_argument
from serving.model_server.models.saved_model import SavedModel
from serving.model_server.models.tensors import check_inputs, to_array

FILE: Final = Path("assets.extra/tf_serving_warmup_requests")
MAX_RECORDS: Final = 1000
DEFAULT_SIGNATURE: Final = "serving_default"

logger = logging.getLogger(__name__)


def warm_up(model: SavedModel, path: Path, iterations: int) -> None:
    """Run the warm-up requests of the SavedModel at ``path``, each ``iterations`` times.

    Raises:
        ServingError: the file is broken, a record is no Predict request, or a request fails. A model that can't answer
            its own warm-up requests must not serve.
    """
    file = path / FILE
    if not iterations or not file.exists():
        return
    started = time.monotonic()
    requests = _read(file)
    for request in requests:
        for _ in range(iterations):
            _run(model, request)
    logger.info("Ran %d warm-up requests of %s in %.1f s", len(requests), path, time.monotonic() - started)


def _read(file: Path) -> list[PredictRequest]:
    try:
        logs = [PredictionLog.FromString(record) for record in tf.compat.v1.io.tf_record_iterator(str(file))]
    except (tf.errors.DataLossError, DecodeError) as error:
        raise ServingError(
            StatusCode.DATA_LOSS, f"{file}: please verify your warmup data is in TFRecord format ({error})"
        ) from error
    if len(logs) > MAX_RECORDS:
        raise invalid_argument(f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {file}")
    return [_request(log, file) for log in logs]


def _request(log: PredictionLog, file: Path) -> PredictRequest:
    kind = log.WhichOneof("log_type")
    if kind != "predict_log":
        raise ServingError(StatusCode.UNIMPLEMENTED, f"{file}: unsupported log_type for warmup: {kind}")
    return log.predict_log.request


def _run(model: SavedModel, request: PredictRequest) -> None:
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if name not in model.signatures:
        raise ServingError(StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    signature = model.signatures[name]
    check_inputs(request.inputs, signature.inputs)
    signature.run({key: to_array(key, request.inputs[key], info) for key, info in signature.inputs.items()})
