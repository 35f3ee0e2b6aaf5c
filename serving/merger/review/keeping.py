"""Answers come in, and what is too much or too old goes out. All of it within a transaction of the caller's."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from serving.merger.review.records import Kept, Limits, Offered
from serving.merger.review.tables import cards, counters, pictures, reasons

DROPPED = "dropped"
_STEP = 200
"""Cards that are looked at, or removed, at once."""


def keep(connection: Connection, offered: Sequence[Offered], limits: Limits, now: float) -> Kept:
    """Keeps answers; the same picture of the same release is one card, which counts them."""
    # Always in one order: two mergers that lock the same rows the other way round would wait for each other.
    new = sum(_keep_one(connection, one) for one in sorted(offered, key=lambda one: one.sha256))
    return Kept(new, len(offered) - new, _make_room(connection, limits, now) if new else 0)


def remove_old(connection: Connection, before: float, now: float) -> list[int]:
    """Ids of the cards that nobody has touched since ``before`` and nobody has a lease of; some of them, if many."""
    old = select(cards.c.id).where(cards.c.touched_at < before, cards.c.lease_until < now)
    return list(connection.execute(old.order_by(cards.c.touched_at).limit(_STEP)).scalars())


def remove_cards(connection: Connection, ids: Iterable[int]) -> None:
    """Removes cards, and the pictures that no other card shows."""
    gone = list(ids)
    shown = list(connection.execute(select(cards.c.sha256).where(cards.c.id.in_(gone))).scalars())
    connection.execute(delete(reasons).where(reasons.c.card_id.in_(gone)))
    connection.execute(delete(cards).where(cards.c.id.in_(gone)))
    unseen = ~exists().where(cards.c.sha256 == pictures.c.sha256)
    connection.execute(delete(pictures).where(pictures.c.sha256.in_(shown), unseen))


def _keep_one(connection: Connection, one: Offered) -> bool:
    """Whether it became a card, rather than one more of one."""
    if _count_again(connection, one):
        return False
    try:
        with connection.begin_nested():
            _insert(connection, one)
    except IntegrityError:  # another merger had the same picture meanwhile
        return not _count_again(connection, one)
    return True


def _count_again(connection: Connection, one: Offered) -> bool:
    same = (cards.c.sha256 == one.sha256, cards.c.release == one.answer["release"])
    again = update(cards).where(*same).values(times=cards.c.times + 1, touched_at=one.at)
    return bool(connection.execute(again).rowcount)


def _insert(connection: Connection, one: Offered) -> None:
    if not connection.execute(select(pictures.c.sha256).where(pictures.c.sha256 == one.sha256)).first():
        connection.execute(insert(pictures).values(sha256=one.sha256, data=one.picture))
    card = insert(cards).values(
        sha256=one.sha256,
        release=one.answer["release"],
        answer=json.dumps(one.answer, ensure_ascii=True),
        confidence=one.answer["joint"]["confidence"],
        format=one.answer["image"]["format"],
        size_bytes=len(one.picture),
        caller=one.caller,
        times=1,
        first_at=one.at,
        touched_at=one.at,
        lease="",
        lease_until=0.0,
    )
    (card_id,) = connection.execute(card.returning(cards.c.id)).one()
    codes = dict.fromkeys(reason["code"] for reason in one.answer["review"]["reasons"])
    connection.execute(insert(reasons), [{"card_id": card_id, "reason": code} for code in codes])


def _make_room(connection: Connection, limits: Limits, now: float) -> int:
    """Removes the oldest undecided cards that nobody has a lease of; how many."""
    dropped = 0
    while True:
        open_ = cards.c.decided.is_(None)
        held = select(func.count(), func.coalesce(func.sum(cards.c.size_bytes), 0)).where(open_)
        count, size = connection.execute(held).one()
        oldest = select(cards.c.id, cards.c.size_bytes).where(open_, cards.c.lease_until < now)
        gone: list[int] = []
        for row in connection.execute(oldest.order_by(cards.c.touched_at, cards.c.id).limit(_STEP)):
            if count - len(gone) <= limits.cards and size <= limits.size_bytes:
                break
            gone.append(row.id)
            size -= row.size_bytes
        if not gone:
            return dropped
        remove_cards(connection, gone)
        add_to(connection, DROPPED, len(gone))
        dropped += len(gone)


def add_to(connection: Connection, counter: str, more: int) -> int:
    """Adds to a counter, whose row is locked until the transaction ends; gives the sum."""
    this = counters.c.name == counter
    connection.execute(update(counters).where(this).values(value=counters.c.value + more))
    return int(connection.execute(select(counters.c.value).where(this)).scalar_one())
