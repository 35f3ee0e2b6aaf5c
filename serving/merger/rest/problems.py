"""Errors as REST tells them: RFC 9457 problem JSON."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import JSONResponse

from serving.merger.core.errors import LookbookError, Unauthenticated, UploadTimeout, problem
from serving.proto.json_view import as_json

PROBLEM_JSON: Final = "application/problem+json"


def problem_response(error: LookbookError, request_id: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer for an error, with the headers that belong to it."""
    told = problem(error, request_id)
    more = dict(headers or {}) | {"cache-control": "no-store"}
    if error.retry_after_s is not None:
        more["retry-after"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, Unauthenticated):
        more["www-authenticate"] = "Bearer"
    if isinstance(error, UploadTimeout):
        more["connection"] = "close"  # enough time was given
    return JSONResponse(as_json(told), told.status, more, PROBLEM_JSON)
