"""What belongs to one call: who it is in the logs, how long it may take, how to answer."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import ImageError, InvalidRequest
from serving.merger.core.merge import DEFAULT_TOP_K
from serving.proto.lookbook.v1 import classifier_pb2 as pb

REQUEST_ID_HEADER: Final = "x-request-id"
MAX_TOP_K: Final = 50
_USABLE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True)
class Call:
    """One call of a client.

    Args:
        request_id: names it in logs and answers.
        caller: who calls, for its share of the pictures.
        deadline: when the answer must be there.
        allow_partial: answer from one model when the other cannot be had.
        top_k: labels and paths to list.
    """

    request_id: str
    caller: str
    deadline: Deadline
    allow_partial: bool = False
    top_k: int = DEFAULT_TOP_K


class Item(NamedTuple):
    """One picture of many: the caller's id of it, the file or why there is none, and the product's name, "" for none.

    A message would copy the file at every look.
    """

    id: str
    image: bytes
    name: str = ""
    error: ImageError | None = None


class StreamItem(NamedTuple):
    """A picture of a stream, the call that it is, and what to call (with anything) when it has its answer."""

    item: Item
    call: Call
    answered: Callable[[object], None]


class Batch(NamedTuple):
    """Pictures of one call, and how to answer."""

    items: Sequence[Item]
    options: pb.ClassifyOptions


def request_id(given: str | None) -> str:
    """The caller's id if it can be logged and sent as it is, else a new one."""
    return given if given and _USABLE_ID.fullmatch(given) else uuid.uuid4().hex


def make_call(name: str, caller: str, timeout_s: float, options: pb.ClassifyOptions) -> Call:
    """A call with checked options.

    Raises:
        InvalidRequest: ``top_k`` is out of range.
    """
    if options.top_k > MAX_TOP_K:
        raise InvalidRequest(f"top_k is {options.top_k}; it must be 1 to {MAX_TOP_K}, or 0 for {DEFAULT_TOP_K}.")
    return Call(name, caller, Deadline(timeout_s), options.allow_partial, options.top_k or DEFAULT_TOP_K)
