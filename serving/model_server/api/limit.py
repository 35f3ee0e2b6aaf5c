"""How many gRPC calls may be under way at a time."""

import threading
from collections.abc import Callable
from typing import Any, Final

import grpc
from grpc import StatusCode

LIMITED: Final = "/tensorflow.serving."


class CallLimit(grpc.ServerInterceptor):
    """Refuses calls beyond ``most`` with TensorFlow Serving's words: Predict, GetModelStatus, all of its services.

    Health checks and reflection stay outside, there as here.
    """

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """Wrap the method that a call names."""
        handler = continuation(details)
        if handler is None or not details.method.startswith(LIMITED):
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._limited(handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )

    def _limited(self, method: Callable[[Any, grpc.ServicerContext], Any]) -> Callable[[Any, Any], Any]:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            if not self._free.acquire(blocking=False):
                context.abort(StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
            try:
                return method(request, context)
            finally:
                self._free.release()

        return answer
