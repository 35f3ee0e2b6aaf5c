"""Decisions: made, taken back, told to whoever learns from them. Within a transaction of the caller's."""

import json
from collections.abc import Sequence
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
MOST_BYTES: Final = 4 * 2**20
"""Of the pictures that are told at once, but for a single one that has more."""


class Decision(NamedTuple):
    """One that is kept: its number among all, and what it says."""

    version: int
    correction: Correction


class Told(NamedTuple):
    """A decision that holds.

    Args:
        version: its number among all; they grow in the order in which they can be seen.
        correction: what was decided.
        picture: its bytes; b"" where they are not asked for.
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


def in_force(
    connection: Connection, version: int, limit: int, *, newest: bool = False, pictures: bool = True
) -> list[Told]:
    """The decisions after ``version`` that hold, in order, or the newest of them first; fewer of large pictures."""
    holds = select(decisions, cards.c.size_bytes).join(cards, cards.c.decided == decisions.c.version)
    order = decisions.c.version.desc() if newest else decisions.c.version
    rows = connection.execute(holds.where(decisions.c.version > version).order_by(order).limit(limit)).all()
    if not pictures:
        return [Told(row.version, _correction(row), b"") for row in rows]
    found = _pictures(connection, [row.sha256 for row in _at_once(rows)])
    told = [Told(row.version, _correction(row), found[row.sha256]) for row in _at_once(rows) if row.sha256 in found]
    if rows and not told:  # all of them were removed meanwhile; that none is left would be wrong
        return in_force(connection, version, limit, newest=newest)
    return told


def newest(connection: Connection, limit: int) -> list[int]:
    """Versions of the newest decisions that hold, newest first."""
    held = select(cards.c.decided).where(cards.c.decided.is_not(None)).order_by(cards.c.decided.desc())
    return [int(version) for version in connection.execute(held.limit(limit)).scalars()]


def _at_once(rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """The first of them, whose pictures are not too large together."""
    total = 0
    for count, row in enumerate(rows):
        total += row.size_bytes
        if count and total > MOST_BYTES:
            return rows[:count]
    return rows


def _pictures(connection: Connection, names: Sequence[str]) -> dict[str, bytes]:
    shown = select(pictures).where(pictures.c.sha256.in_(names))
    return {row.sha256: bytes(row.data) for row in connection.execute(shown)}


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
