"""Every error has a code, a place in the tree and a status on both transports."""

from collections.abc import Iterator

import grpc
import pytest

from serving.merger.core import errors
from serving.merger.core.errors import GRPC_STATUS, HTTP_STATUS, LookbookError

REST_ONLY = {
    "not_found",
    "method_not_allowed",
    "upload_timeout",
    "forbidden",
    "review_off",
    "review_unavailable",
    "review_conflict",
}


def family(kind: type[LookbookError] = LookbookError) -> Iterator[type[LookbookError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


@pytest.mark.parametrize("kind", list(family()), ids=lambda kind: kind.__name__)
def test_is_mapped(kind: type[LookbookError]) -> None:
    """No error can leave the process without a status: REST has one for all, gRPC for all that it can meet."""
    assert kind.__name__ in str(errors.__doc__)
    assert 400 <= HTTP_STATUS[kind.code] < 600
    assert kind.code in REST_ONLY or grpc.StatusCode[GRPC_STATUS[kind.code]] != grpc.StatusCode.OK


def test_tables_name_no_other_codes() -> None:
    """The tables hold no code that nothing raises."""
    codes = {kind.code for kind in family()}
    assert set(HTTP_STATUS) == codes
    assert set(GRPC_STATUS) == codes - REST_ONLY
    assert {GRPC_STATUS[code] for code in codes - REST_ONLY if HTTP_STATUS[code] < 500} <= {
        "INVALID_ARGUMENT",
        "RESOURCE_EXHAUSTED",
        "UNAUTHENTICATED",
    }


def test_problem_holds_everything() -> None:
    """The problem that a caller sees has the RFC's members and what a program needs."""
    problem = errors.problem(errors.ModelUnavailable("gone", model="category", retry_after_s=1.5), "id-1")
    assert (problem.type, problem.status) == ("urn:lookbook:problem:model_unavailable", 503)
    assert (problem.detail, problem.request_id) == ("gone", "id-1")
    assert (problem.model, problem.retry_after_s) == ("category", 1.5)
    assert not errors.problem(errors.ImageMissing("none"), "id-2").HasField("retry_after_s")
