"""A product's name beside its picture: what may be given, and what became of it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schema.product_names import MOST_CHARACTERS
from serving.merger.core.errors import InvalidRequest
from serving.proto.lookbook.v1 import classifier_pb2 as pb

ENOUGH: Final = 0.5
"""A name that belongs to the picture with less probability contradicts it."""

DIGITS: Final = 6


class Heard(NamedTuple):
    """What a model says of a name: whether training had a word of it, and how well it fits the picture, 0 to 1."""

    is_known: bool
    fits: float


def require_short(name: str) -> None:
    """Refuses a name that is too long.

    Raises:
        InvalidRequest: it is; the error does not repeat it.
    """
    if len(name) > MOST_CHARACTERS:
        raise InvalidRequest(f"The name has {len(name)} characters; at most {MOST_CHARACTERS} are allowed.")


def hearing(told: Sequence[Heard], version: int) -> pb.NameUse:
    """What became of a name that was given.

    Args:
        told: by the models that hear names; none where the release does not.
        version: of the release.
    """
    if not told:
        message = f"Release {version} was made without names, so the picture alone answers."
        return pb.NameUse(heard=False, code="not_learnt", message=message)
    known = [one.fits for one in told if one.is_known]
    if not known:
        message = "Training knew no word of the name, so the picture alone answers."
        return pb.NameUse(heard=False, code="unknown", message=message)
    return pb.NameUse(heard=True, fits=round(min(known), DIGITS))


def trust(name: pb.NameUse | None) -> float:
    """What is left of the confidence in the answer: 1 where the name does not contradict the picture."""
    return min(1.0, name.fits / ENOUGH) if name and name.heard else 1.0


def contradiction(name: pb.NameUse | None) -> list[dict[str, object]]:
    """The reason for a look where the name contradicts the picture."""
    if trust(name) == 1.0 or name is None:
        return []
    message = (
        f"The name contradicts the picture: that it belongs to it has probability {name.fits:.2f}; "
        f"{ENOUGH:.2f} would have been enough. One of them may be another product's."
    )
    return [{"code": "name_contradicts", "threshold": ENOUGH, "message": message}]
