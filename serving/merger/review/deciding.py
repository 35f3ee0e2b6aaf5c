"""Decisions: made, taken back, told to whoever learns from them. Within a transaction of the caller's."""

import json
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from schema.corrections import Correction, now
from serving.merger.review.errors import Conflict, Missing
from serving.merger.review.keeping import add_to, remove_cards
from serving.merger.review.queue import require, require_lease
from serving.merger.review.tables import cards, decisions, pictures

VERSIONS: Final = "decisions"
DECIDED: Final = "decided"
UNDONE: Final = "undone"
REMOVED: Final = "removed"


class Decision(NamedTuple):
    """One that is kept: its number among all, and what it says."""

    version: int
    correction: Correction


class Told(NamedTuple):
    """A decision that holds.

    Args:
        version: its number among all; they grow in the order in which they can be seen.
        correction: what was decided.
        picture: its bytes.
    """

    version: int
    correction: Correction
    picture: bytes


def decide(connection: Connection, card_id: int, lease: str, correction: Correction, at_s: float) -> Decision:
    """Keeps what was decided about a card that the caller has a lease of.

    Raises:
        Missing: there is no such card.
        Conflict: somebody else has it, or it was decided otherwise.
    """
    row = require_lease(connection, card_id, lease)
    if row.decided is not None:  # the answer to the first time was lost on its way
        return _same(connection, row, correction)
    version = _add(connection, DECIDED, row.id, correction, correction.by)
    held = update(cards).where(cards.c.id == row.id).values(decided=version, touched_at=at_s, lease_until=0.0)
    connection.execute(held)
    return Decision(version, correction)


def undo(connection: Connection, version: int, by: str, at_s: float) -> int:
    """Takes a decision back: its card is open again. Gives the card's id.

    Raises:
        Missing: there is no such decision, or its card was removed.
        Conflict: it was taken back already.
    """
    decided = connection.execute(select(decisions).where(decisions.c.version == version)).first()
    if decided is None or decided.kind != DECIDED:
        raise Missing(f"There is no decision {version}.")
    row = require(connection, decided.card_id)
    if row.decided != version:
        raise Conflict(f"Decision {version} does not hold any more: it was taken back before.")
    _add(connection, UNDONE, row.id, _correction(decided), by, undoes=version)
    connection.execute(update(cards).where(cards.c.id == row.id).values(decided=None, touched_at=at_s))
    return int(row.id)


def remove(connection: Connection, ids: list[int], by: str) -> None:
    """Removes cards with their pictures, and tells whoever learnt from their decisions."""
    for row in connection.execute(select(cards).where(cards.c.id.in_(ids), cards.c.decided.is_not(None))).all():
        decided = connection.execute(select(decisions).where(decisions.c.version == row.decided)).one()
        _add(connection, REMOVED, row.id, _correction(decided), by, undoes=row.decided)
    remove_cards(connection, ids)


def in_force(connection: Connection, version: int, limit: int, *, newest: bool = False) -> list[Told]:
    """The decisions after ``version`` that hold, in order, or the newest of them first."""
    holds = select(decisions, pictures.c.data).join(cards, cards.c.decided == decisions.c.version)
    shown = holds.join(pictures, pictures.c.sha256 == cards.c.sha256)
    order = decisions.c.version.desc() if newest else decisions.c.version
    later = shown.where(decisions.c.version > version).order_by(order).limit(limit)
    return [Told(row.version, _correction(row), bytes(row.data)) for row in connection.execute(later)]


def newest(connection: Connection, limit: int) -> list[int]:
    """Versions of the newest decisions that hold, newest first."""
    held = select(cards.c.decided).where(cards.c.decided.is_not(None)).order_by(cards.c.decided.desc())
    return [int(version) for version in connection.execute(held.limit(limit)).scalars()]


def _add(
    connection: Connection, kind: str, card_id: int, correction: Correction, by: str, undoes: int | None = None
) -> int:
    version = add_to(connection, VERSIONS, 1)
    row = insert(decisions).values(
        version=version,
        kind=kind,
        undoes=undoes,
        card_id=card_id,
        sha256=correction.sha256,
        correction=json.dumps(asdict(correction)),
        by=by,
        at=correction.at if kind == DECIDED else now(),
    )
    connection.execute(row)
    return version


def _same(connection: Connection, row: Row[Any], correction: Correction) -> Decision:
    decided = connection.execute(select(decisions).where(decisions.c.version == row.decided)).one()
    before = _correction(decided)
    if (before.decision, before.labels, before.attributes) != (
        correction.decision, dict(correction.labels), dict(correction.attributes),
    ):  # fmt: skip
        raise Conflict(f"Card {row.id} was decided as {before.decision} already; undo that decision first.")
    return Decision(row.decided, before)


def _correction(row: Row[Any]) -> Correction:
    return Correction(**json.loads(row.correction))
