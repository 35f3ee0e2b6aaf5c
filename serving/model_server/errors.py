"""The one exception of the model server: a gRPC status code and a message that may leave the process.

Codes and wording follow TensorFlow Serving, which a client may have been written against.
"""

from http import HTTPStatus
from typing import Final

from grpc import StatusCode


class ServingError(Exception):
    """What a client is told: ``code`` on gRPC, ``http_status`` on REST, ``str(error)`` on both."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def http_status(self) -> int:
        """The HTTP status that TensorFlow Serving gives for this code."""
        return HTTP_STATUS.get(self.code, HTTPStatus.INTERNAL_SERVER_ERROR)


HTTP_STATUS: Final[dict[StatusCode, int]] = {
    StatusCode.CANCELLED: 499,
    StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    StatusCode.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    StatusCode.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    StatusCode.ABORTED: HTTPStatus.CONFLICT,
    StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}


def invalid_argument(message: str) -> ServingError:
    """The request itself is wrong; sent again it fails again."""
    return ServingError(StatusCode.INVALID_ARGUMENT, message)


def status_number(code: StatusCode) -> int:
    """The number of ``code`` on the wire, which is also its number in ``tensorflow.error.Code``."""
    return int(code.value[0])


def internal_error() -> ServingError:
    """What a client is told of a fault in this server; the log has the rest."""
    return ServingError(StatusCode.INTERNAL, "Internal error; the server's log says why")
