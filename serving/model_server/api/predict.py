"""A Predict request from its check to its answer; knows no transport."""

import time
from collections.abc import Iterable

from grpc import StatusCode
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.model_server.errors import ServingError, invalid_argument
from serving.model_server.metrics import Metrics
from serving.model_server.models.calls import Call
from serving.model_server.models.manager import ModelManager
from serving.model_server.models.saved_model import Signature
from serving.model_server.models.tensors import check_inputs, fill_proto, to_array
from serving.model_server.models.warmup import DEFAULT_SIGNATURE


class Predictor:
    """Answers Predict requests with the models of a manager."""

    def __init__(self, manager: ModelManager, metrics: Metrics) -> None:
        self._manager = manager
        self._metrics = metrics

    def predict(self, request: PredictRequest, call: Call, entrypoint: str) -> PredictResponse:
        """Answer ``request``; blocks.

        Args:
            request: as a client sent it.
            call: how long the client waits.
            entrypoint: ``GRPC`` or ``REST``, for the metrics.

        Raises:
            ServingError: what the client is to be told.
        """
        started = time.monotonic()
        status = StatusCode.UNKNOWN
        try:
            response = self._predict(request, call)
            status = StatusCode.OK
            return response
        except ServingError as error:
            status = error.code
            raise
        finally:
            model = request.model_spec.name
            known = model if self._manager.versions(model) else "unknown"  # else anyone could add time series at will
            self._metrics.request(known, entrypoint, status.name, time.monotonic() - started)

    def _predict(self, request: PredictRequest, call: Call) -> PredictResponse:
        spec = request.model_spec
        with self._manager.use(spec) as version:
            signature, queue = version.signature(spec.signature_name or DEFAULT_SIGNATURE)
            wanted = output_names(signature, request.output_filter)
            check_inputs(request.inputs, signature.inputs)
            inputs = {name: to_array(name, request.inputs[name], info) for name, info in signature.inputs.items()}
            outputs = queue.submit(inputs, call)
        response = PredictResponse()
        response.model_spec.name = version.model
        response.model_spec.version.value = version.number
        response.model_spec.signature_name = signature.name
        for name in wanted:
            fill_proto(response.outputs[name], outputs[name], signature.dtypes[name])
        return response


def output_names(signature: Signature, output_filter: Iterable[str]) -> list[str]:
    """The outputs that a request asks for: those of its filter, else all.

    Raises:
        ServingError: INVALID_ARGUMENT, the filter names an unknown output, or one twice.
    """
    chosen: list[str] = []
    for name in output_filter:
        if name not in signature.dtypes:
            known = ",".join(signature.dtypes)
            raise invalid_argument(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set {{{known}}}."
            )
        if name in chosen:
            raise invalid_argument(f"duplicate output tensor alias: {name}")
        chosen.append(name)
    return chosen or list(signature.dtypes)
