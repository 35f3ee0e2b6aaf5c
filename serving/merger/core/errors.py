"""What can go wrong, once for both transports.

::

    LookbookError                       what a caller can be told: code, title, detail
    ├── InvalidRequest                  wrong parameter or malformed body
    │   ├── BatchTooLarge               too many pictures in one call
    │   ├── RequestTooLarge             the whole body is over the limit
    │   ├── UploadTimeout               the body came too slowly (REST only)
    │   ├── NotFound                    no such address (REST only)
    │   └── MethodNotAllowed            no such method there (REST only)
    ├── ImageError                      the picture itself
    │   ├── ImageMissing                none given, or empty
    │   ├── ImageTooLarge               file over the byte limit
    │   ├── ImageTooManyPixels          width × height over the limit
    │   ├── ImageUnsupported            no kind of picture that is taken
    │   └── ImageUndecodable            header right, pixels broken
    ├── Unauthenticated                 no API key, or none that is known
    ├── Forbidden                       a key that may not do this
    ├── RateLimited                     this caller sends more than its share
    ├── Overloaded                      too many pictures at once
    ├── DeadlineExceeded                out of time
    ├── NotReady                        no release on both models
    ├── NoIndex                         the release cannot name similar products
    ├── ReviewOff                       nothing is kept for review here
    ├── ReviewUnavailable               the store of what is to be reviewed does not do it
    ├── ReviewConflict                  somebody else came before
    └── ModelError                      one model; says which
        ├── ModelUnavailable            cannot be reached, or is left alone for a while
        ├── ModelFailed                 answered with an error or nonsense
        └── VersionGone                 no longer (or not yet) has the version; handled inside, asked again once
    SettingsError                       start-up only
    ReleaseError                        a model's card makes no sense, or two cards are no pair; never reaches a caller

:data:`HTTP_STATUS` and :data:`GRPC_STATUS` map the codes to the transports.
"""

from typing import Final, TypeVar

from serving.proto.lookbook.v1 import classifier_pb2 as pb

Kind = TypeVar("Kind", bound="LookbookError")


class LookbookError(Exception):
    """What a caller can be told.

    Args:
        detail: this occurrence in words: what was given and what would be right.
        retry_after_s: seconds after which trying again makes sense; None when it does not.
        model: name of the model that failed; None when none did.
    """

    code = "internal"
    title = "The server made a mistake"

    def __init__(self, detail: str, *, retry_after_s: float | None = None, model: str | None = None) -> None:
        # It may repeat half of a surrogate pair, as JSON's "\ud800" is, and no transport can send that.
        detail = detail.encode("utf-8", "backslashreplace").decode("utf-8")
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.model = model

    def alone(self: Kind) -> Kind:
        """The error without the frames that it came through: those hold the request's pictures until it is told."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self


class InvalidRequest(LookbookError):
    code = "invalid_request"
    title = "The request is malformed"


class BatchTooLarge(InvalidRequest):
    code = "batch_too_large"
    title = "Too many pictures in one call"


class RequestTooLarge(InvalidRequest):
    code = "request_too_large"
    title = "The request is too large"


class UploadTimeout(InvalidRequest):
    code = "upload_timeout"
    title = "The request came too slowly"


class NotFound(InvalidRequest):
    code = "not_found"
    title = "There is nothing here"


class MethodNotAllowed(InvalidRequest):
    code = "method_not_allowed"
    title = "The method is not allowed here"


class ImageError(LookbookError):
    """The picture cannot be classified, whoever asks and whenever."""


class ImageMissing(ImageError):
    code = "image_missing"
    title = "There is no picture"


class ImageTooLarge(ImageError):
    code = "image_too_large"
    title = "The picture's file is too large"


class ImageTooManyPixels(ImageError):
    code = "image_too_many_pixels"
    title = "The picture has too many pixels"


class ImageUnsupported(ImageError):
    code = "image_unsupported"
    title = "The file is no picture of a kind that is taken"


class ImageUndecodable(ImageError):
    code = "image_undecodable"
    title = "The picture cannot be decoded"


class Unauthenticated(LookbookError):
    code = "unauthenticated"
    title = "An API key is needed"


class Forbidden(LookbookError):
    code = "forbidden"
    title = "That is not allowed here"


class RateLimited(LookbookError):
    code = "rate_limited"
    title = "Too many pictures from one caller"


class Overloaded(LookbookError):
    code = "overloaded"
    title = "Too many pictures at once"


class DeadlineExceeded(LookbookError):
    code = "deadline_exceeded"
    title = "There was not enough time"


class NotReady(LookbookError):
    code = "not_ready"
    title = "No release is ready"


class NoIndex(LookbookError):
    code = "no_index"
    title = "The release knows no products by name"


class ReviewOff(LookbookError):
    code = "review_off"
    title = "Nothing is kept for review here"


class ReviewUnavailable(LookbookError):
    code = "review_unavailable"
    title = "The review store is unavailable"


class ReviewConflict(LookbookError):
    code = "review_conflict"
    title = "Somebody else came before"


class ModelError(LookbookError):
    """One model failed; ``model`` says which."""


class ModelUnavailable(ModelError):
    code = "model_unavailable"
    title = "A model is unavailable"


class ModelFailed(ModelError):
    code = "model_failed"
    title = "A model failed"


class VersionGone(ModelError):
    code = "model_unavailable"
    title = "A model is unavailable"


class SettingsError(ValueError):
    """A setting has a value that makes no sense."""


class ReleaseError(Exception):
    """A version of the models cannot be used, and why."""


HTTP_STATUS: Final = {
    "invalid_request": 400,
    "batch_too_large": 413,
    "request_too_large": 413,
    "image_missing": 400,
    "image_too_large": 413,
    "image_too_many_pixels": 422,
    "image_unsupported": 415,
    "image_undecodable": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "rate_limited": 429,
    "overloaded": 429,
    "deadline_exceeded": 504,
    "not_ready": 503,
    "no_index": 501,
    "review_off": 501,
    "review_unavailable": 503,
    "review_conflict": 409,
    "model_unavailable": 503,
    "model_failed": 502,
    "internal": 500,
    "not_found": 404,
    "method_not_allowed": 405,
    "upload_timeout": 408,
}
"""Code → HTTP status."""

GRPC_STATUS: Final = {
    "invalid_request": "INVALID_ARGUMENT",
    "batch_too_large": "INVALID_ARGUMENT",
    "request_too_large": "RESOURCE_EXHAUSTED",
    "image_missing": "INVALID_ARGUMENT",
    "image_too_large": "INVALID_ARGUMENT",
    "image_too_many_pixels": "INVALID_ARGUMENT",
    "image_unsupported": "INVALID_ARGUMENT",
    "image_undecodable": "INVALID_ARGUMENT",
    "unauthenticated": "UNAUTHENTICATED",
    "rate_limited": "RESOURCE_EXHAUSTED",
    "overloaded": "RESOURCE_EXHAUSTED",
    "deadline_exceeded": "DEADLINE_EXCEEDED",
    "not_ready": "UNAVAILABLE",
    "no_index": "UNIMPLEMENTED",
    "model_unavailable": "UNAVAILABLE",
    "model_failed": "INTERNAL",
    "internal": "INTERNAL",
}
"""Code → name of the gRPC status; REST-only codes are left out."""


def problem(error: LookbookError, request_id: str) -> pb.Problem:
    """The error as both transports send it."""
    return pb.Problem(
        type=f"urn:lookbook:problem:{error.code}",
        title=error.title,
        status=HTTP_STATUS[error.code],
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        model=error.model,
        retry_after_s=error.retry_after_s,
    )
