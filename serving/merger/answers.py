"""Puts an answer together: what the merger made of the scores, and the circumstances of the call."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from serving.merger.core.calls import Call
from serving.merger.core.corrections import Say, corrected
from serving.merger.core.errors import ImageUndecodable, LookbookError, problem
from serving.merger.core.images import Picture
from serving.merger.core.merge import DIGITS, Merger
from serving.proto.lookbook.v1 import classifier_pb2 as pb

Outcome = pb.ClassifyResponse | LookbookError
"""What one picture comes to."""


class Reply(Protocol):
    """What one model says of N pictures, as :class:`serving.merger.models.messages.ModelScores` tells it."""

    @property
    def heads(self) -> Mapping[str, Sequence[Sequence[float]]]:
        """Head → N rows of probabilities."""

    @property
    def image_ok(self) -> Sequence[bool]:
        """Which pictures it could read."""

    @property
    def elapsed_s(self) -> float:
        """Seconds that it took."""

    @property
    def familiarity(self) -> Sequence[float] | None:
        """Of each picture; None where the model does not tell it."""


def answer(
    merger: Merger,
    replies: Mapping[str, Reply],
    missing: Mapping[str, LookbookError],
    row: int,
    picture: Picture,
    call: Call,
    started: float,
    queue_s: float,
    name: pb.NameUse | None = None,
    said: Say | None = None,
) -> Outcome:
    """The outcome of the picture in ``row`` of the models' replies.

    Args:
        merger: of the release that answered.
        replies: of its models, by name.
        missing: model without a reply → why.
        row: of the picture in them.
        picture: as it was checked.
        call: that it came with.
        started: when the picture came in, by ``time.perf_counter``.
        queue_s: seconds that it waited for a place.
        name: what became of the product's name; None where none was given.
        said: what people's decisions say of it; None where none counts.
    """
    if not all(reply.image_ok[row] for reply in replies.values()):
        return ImageUndecodable("The models cannot read the picture although its header is right; save it anew.")
    merging = time.perf_counter()
    scores = {head: rows[row] for reply in replies.values() for head, rows in reply.heads.items()}
    if said:
        scores = {head: corrected(values, said.votes.get(head, {})) for head, values in scores.items()}
    told = (reply.familiarity for reply in replies.values() if reply.familiarity is not None)
    familiarity = next(told, None)
    merged = merger.merge(scores, call.top_k, None if familiarity is None else familiarity[row], name)
    merge_s = time.perf_counter() - merging
    if said:
        merged.correction_share, merged.corrections_version = round(said.share, DIGITS), said.version
    merged.request_id = call.request_id
    merged.partial |= bool(missing)
    merged.missing.extend(problem(error, call.request_id) for error in missing.values())
    for model, reply in replies.items():
        merged.models.add(name=model, version=merged.release)
        setattr(merged.timings, f"{model}_ms", milliseconds(reply.elapsed_s))
    _describe(merged.image, picture)
    merged.timings.queue_ms = milliseconds(queue_s)
    merged.timings.image_ms = milliseconds(picture.seconds)
    merged.timings.merge_ms = milliseconds(merge_s)
    merged.timings.total_ms = milliseconds(time.perf_counter() - started)
    return merged


def result(item_id: str, index: int, outcome: Outcome, request_id: str) -> pb.ClassifyResult:
    """The outcome as one of many."""
    if isinstance(outcome, LookbookError):
        return pb.ClassifyResult(id=item_id, index=index, error=problem(outcome, request_id))
    return pb.ClassifyResult(id=item_id, index=index, answer=outcome)


def milliseconds(seconds: float) -> float:
    """Seconds → milliseconds, to the microsecond."""
    return round(1000 * seconds, 3)


def _describe(image: pb.ImageInfo, picture: Picture) -> None:
    image.format = picture.format
    image.width = picture.width
    image.height = picture.height
    image.size_bytes = picture.size_bytes
    image.reencoded = picture.reencoded
