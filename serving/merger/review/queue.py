"""The queue: what is in it, and one card to one person at a time. Within a transaction of the caller's."""

import json
import secrets
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, select, update

from serving.merger.review.errors import Conflict, Missing
from serving.merger.review.keeping import DROPPED
from serving.merger.review.records import OLDEST, SUREST, Card, Counts
from serving.merger.review.tables import cards, counters, pictures, reasons

_OPEN = cards.c.decided.is_(None)


def find(connection: Connection, reason: str, order: str, limit: int, offset: int) -> list[Card]:
    """Open cards, leased ones too."""
    wanted = _ordered(select(cards).where(_OPEN, *_of(reason)), order).limit(limit).offset(offset)
    rows = connection.execute(wanted).all()
    why = _reasons(connection, [row.id for row in rows])
    return [_card(row, why.get(row.id, [])) for row in rows]


def count(connection: Connection, now: float) -> Counts:
    """How the queue is."""
    numbers = select(
        func.count().filter(_OPEN), func.count().filter(_OPEN, cards.c.lease_until >= now), func.count(cards.c.decided)
    )
    open_, leased, decided = connection.execute(numbers.select_from(cards)).one()
    why = select(reasons.c.reason, func.count()).join(cards, cards.c.id == reasons.c.card_id).where(_OPEN)
    found = connection.execute(why.group_by(reasons.c.reason).order_by(func.count().desc(), reasons.c.reason)).all()
    dropped = connection.execute(select(counters.c.value).where(counters.c.name == DROPPED)).scalar_one()
    return Counts(open_, leased, decided, dropped, dict(map(tuple, found)))


def claim(connection: Connection, reason: str, order: str, now: float, until: float) -> Card | None:
    """The next card that nobody has, from now on the caller's; None when there is none."""
    free = select(cards).where(_OPEN, cards.c.lease_until < now, *_of(reason))
    # PostgreSQL passes over what somebody else is taking just now; SQLite lets one at a time into here.
    row = connection.execute(_ordered(free, order).limit(1).with_for_update(skip_locked=True)).first()
    return None if row is None else _lease(connection, row, until)


def lease_again(connection: Connection, card_id: int, until: float) -> Card:
    """A card whose decision was taken back: whoever did has it."""
    return _lease(connection, require(connection, card_id), until)


def give_back(connection: Connection, card_id: int, lease: str) -> bool:
    """Ends a lease; whether there was one."""
    held = update(cards).where(cards.c.id == card_id, cards.c.lease == lease, cards.c.lease != "", _OPEN)
    return bool(connection.execute(held.values(lease="", lease_until=0.0)).rowcount)


def require(connection: Connection, card_id: int) -> Row[Any]:
    """The card's row, locked until the transaction ends.

    Raises:
        Missing: there is no such card.
    """
    row = connection.execute(select(cards).where(cards.c.id == card_id).with_for_update()).first()
    if row is None:
        raise Missing(f"There is no card {card_id}: it was removed, or made room for newer ones.")
    return row


def require_lease(connection: Connection, card_id: int, lease: str) -> Row[Any]:
    """The card's row, locked, which is the caller's to decide.

    Raises:
        Missing: there is no such card.
        Conflict: somebody else has it.
    """
    row = require(connection, card_id)
    if not lease or row.lease != lease:
        raise Conflict(
            f"Card {card_id} is not yours any more: the time to decide it ran out, or you gave it back. Claim it again."
        )
    return row


def card_of(connection: Connection, row: Row[Any]) -> Card:
    """The row as a card, without its lease."""
    return _card(row, _reasons(connection, [row.id]).get(row.id, []))


def picture(connection: Connection, card_id: int) -> tuple[bytes, str]:
    """A card's picture, and its format.

    Raises:
        Missing: there is no such card.
    """
    shown = select(pictures.c.data, cards.c.format).join(cards, cards.c.sha256 == pictures.c.sha256)
    row = connection.execute(shown.where(cards.c.id == card_id)).first()
    if row is None:
        raise Missing(f"There is no card {card_id}: it was removed, or made room for newer ones.")
    return bytes(row.data), row.format


def _lease(connection: Connection, row: Row[Any], until: float) -> Card:
    lease = secrets.token_hex(16)
    connection.execute(update(cards).where(cards.c.id == row.id).values(lease=lease, lease_until=until))
    why = _reasons(connection, [row.id]).get(row.id, [])
    return _card(row, why, lease=lease, lease_until=until)


def _of(reason: str) -> list[ColumnElement[bool]]:
    return [exists().where(reasons.c.card_id == cards.c.id, reasons.c.reason == reason)] if reason else []


def _ordered(chosen: Select[Any], order: str) -> Select[Any]:
    first = {SUREST: cards.c.confidence.desc(), OLDEST: cards.c.first_at}.get(order, cards.c.confidence.asc())
    return chosen.order_by(first, cards.c.id)


def _reasons(connection: Connection, ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in connection.execute(select(reasons).where(reasons.c.card_id.in_(ids)).order_by(reasons.c.reason)):
        found.setdefault(row.card_id, []).append(row.reason)
    return found


def _card(row: Row[Any], why: list[str], *, lease: str = "", lease_until: float | None = None) -> Card:
    return Card(
        id=row.id,
        sha256=row.sha256,
        release=row.release,
        answer=json.loads(row.answer),
        format=row.format,
        caller=row.caller,
        count=row.times,
        first_at=row.first_at,
        touched_at=row.touched_at,
        reasons=why,
        lease_until=row.lease_until if lease_until is None else lease_until,
        decided=row.decided,
        lease=lease,
    )
