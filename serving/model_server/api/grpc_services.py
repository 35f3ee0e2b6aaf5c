"""The gRPC face: convert, call once, convert back."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeAlias

import grpc
from tensorflow_serving.apis import (
    model_service_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, GetModelMetadataResponse
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest, ReloadConfigResponse
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.model_server.api.model_info import model_metadata, model_status
from serving.model_server.api.predict import Predictor
from serving.model_server.errors import ServingError, internal_error
from serving.model_server.models.calls import Call
from serving.model_server.models.manager import ModelManager

Context: TypeAlias = grpc.ServicerContext
Method = Callable[[Any, Any, Context], Any]
# Taken from the descriptors, which reflection needs in memory; the stubs alone don't import them.
PREDICTION_SERVICE: Final[str] = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name
MODEL_SERVICE: Final[str] = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name
LONGEST_MESSAGE: Final = 2000
"""Characters. It travels in a header, and one of more than 8 kB ends the call as RESOURCE_EXHAUSTED, without a word."""

logger = logging.getLogger(__name__)


def with_status(method: Method) -> Method:
    """Let ``method`` raise ServingError, and end the call with its code; anything else is INTERNAL and logged."""

    @wraps(method)
    def answer(servicer: Any, request: Any, context: Context) -> Any:
        try:
            return method(servicer, request, context)
        except ServingError as error:
            failure = error
        except Exception:
            logger.exception("%s failed", method.__name__)
            failure = internal_error()
        return context.abort(failure.code, str(failure)[:LONGEST_MESSAGE])

    return answer


def _call(context: Context) -> Call:
    remaining: Any = context.time_remaining()
    deadline = float("inf") if remaining is None else time.monotonic() + remaining
    return Call(deadline, context.is_active)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """``tensorflow.serving.PredictionService``; Classify, Regress and MultiInference are UNIMPLEMENTED."""

    def __init__(self, manager: ModelManager, predictor: Predictor) -> None:
        self._manager = manager
        self._predictor = predictor

    @with_status
    def Predict(self, request: PredictRequest, context: Context) -> PredictResponse:
        """Run a signature."""
        return self._predictor.predict(request, _call(context), "GRPC")

    @with_status
    def GetModelMetadata(self, request: GetModelMetadataRequest, context: Context) -> GetModelMetadataResponse:
        """Describe the signatures of a version."""
        return model_metadata(self._manager, request)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """``tensorflow.serving.ModelService``."""

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager

    @with_status
    def GetModelStatus(self, request: GetModelStatusRequest, context: Context) -> GetModelStatusResponse:
        """Tell the state of a model's versions."""
        return model_status(self._manager, request)

    @with_status
    def HandleReloadConfigRequest(self, request: ReloadConfigRequest, context: Context) -> ReloadConfigResponse:
        """Serve the models of another config; answers when the new ones serve."""
        self._manager.reload(request.config)
        response = ReloadConfigResponse()
        response.status.SetInParent()
        return response
