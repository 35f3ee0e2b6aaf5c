"""The store: each method is one transaction, done whole or not at all. It blocks, so it belongs into a thread."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from schema.corrections import Correction
from serving.merger.review import deciding, keeping, queue
from serving.merger.review.deciding import VERSIONS, Decision, Told
from serving.merger.review.engine import READING, make_engine, store_url
from serving.merger.review.errors import StoreError
from serving.merger.review.records import LEAST_SURE, Card, Counts, Kept, Limits, Offered
from serving.merger.review.tables import counters

MOST_AT_ONCE: Final = 50
"""Decisions with their pictures that are read at once, unless more are asked for."""


class ReviewStore:
    """Cards, pictures and decisions in a database, which several processes may use, and each by several threads.

    Args:
        target: a path for SQLite, or ``postgresql://USER:PASSWORD@HOST/DATABASE``.

    Raises:
        SettingsError: it is neither.
        StoreError: of any method: the database does not do what it should.
    """

    def __init__(self, target: str) -> None:
        self._engine = make_engine(store_url(target))

    def open(self) -> None:
        """Makes the tables, or brings them up to what this code knows.

        Raises:
            StoreError: the database cannot be had, or is newer than this code.
        """
        from serving.merger.review.migrate import migrate

        with contextlib.ExitStack() as if_it_fails, _told():
            if_it_fails.callback(self.close)
            migrate(self._engine)
            if_it_fails.pop_all()

    def close(self) -> None:
        """Closes its connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Sees whether the database answers."""
        with self._reading() as connection:
            connection.execute(select(counters)).all()

    def keep(self, offered: Sequence[Offered], limits: Limits) -> Kept:
        """Keeps answers; undecided cards that are too many make room, the oldest first."""
        with self._writing() as connection:
            return keeping.keep(connection, offered, limits, time.time())

    def find(self, reason: str = "", order: str = LEAST_SURE, limit: int = 50, offset: int = 0) -> list[Card]:
        """Open cards of a reason ("": of any), by one of :data:`~serving.merger.review.records.ORDERS`."""
        with self._reading() as connection:
            return queue.find(connection, reason, order, limit, offset)

    def count(self) -> Counts:
        """How the queue is."""
        with self._reading() as connection:
            return queue.count(connection, time.time())

    def claim(self, reason: str, order: str, lease_s: float) -> Card | None:
        """The next card that nobody has; it is the caller's for ``lease_s``. None when there is none."""
        with self._writing() as connection:
            now = time.time()
            return queue.claim(connection, reason, order, now, now + lease_s)

    def give_back(self, card_id: int, lease: str) -> bool:
        """Ends a lease before its time; whether there was one."""
        with self._writing() as connection:
            return queue.give_back(connection, card_id, lease)

    def held(self, card_id: int, lease: str) -> Card:
        """A card that the caller has a lease of.

        Raises:
            Missing: there is no such card.
            Conflict: somebody else has it.
        """
        with self._reading() as connection:
            return queue.card_of(connection, queue.require_lease(connection, card_id, lease))

    def picture(self, card_id: int) -> tuple[bytes, str]:
        """A card's picture, and its format.

        Raises:
            Missing: there is no such card.
        """
        with self._reading() as connection:
            return queue.picture(connection, card_id)

    def decide(self, card_id: int, lease: str, correction: Correction) -> Decision:
        """Keeps what was decided about a card that the caller has a lease of; the same again changes nothing.

        Raises:
            Missing: there is no such card.
            Conflict: somebody else has it, or it was decided otherwise.
        """
        with self._writing() as connection:
            return deciding.decide(connection, card_id, lease, correction, time.time())

    def undo(self, version: int, by: str, lease_s: float) -> Card:
        """Takes a decision back; its card is open again, and the caller's for ``lease_s``.

        Raises:
            Missing: there is no such decision, or its card was removed.
            Conflict: it was taken back already.
        """
        with self._writing() as connection:
            now = time.time()
            return queue.lease_again(connection, deciding.undo(connection, version, by, now), now + lease_s)

    def remove(self, card_id: int, by: str) -> None:
        """Removes a card and, if no other shows it, its picture; what was learnt from its decision is to be forgotten.

        Raises:
            Missing: there is no such card.
        """
        with self._writing() as connection:
            deciding.remove(connection, [queue.require(connection, card_id).id], by)

    def remove_older_than(self, seconds: float) -> int:
        """Removes the cards that nobody has touched for so long, decided ones too; how many, and some at a time."""
        with self._writing() as connection:
            now = time.time()
            gone = keeping.remove_old(connection, now - seconds, now)
            deciding.remove(connection, gone, "")
            return len(gone)

    def in_force(
        self, version: int, limit: int = MOST_AT_ONCE, *, newest: bool = False, pictures: bool = True
    ) -> list[Told]:
        """The decisions after ``version`` that hold, in order; ask again with the last one's until none is left.

        There are fewer than ``limit`` at once where their pictures are large.
        """
        with self._reading() as connection:
            return deciding.in_force(connection, version, limit, newest=newest, pictures=pictures)

    def newest(self, limit: int) -> tuple[int, list[int]]:
        """The version of all decisions and ends of decisions, and those of the newest that hold, newest first."""
        with self._reading() as connection:
            return self._version(connection), deciding.newest(connection, limit)

    def version(self) -> int:
        """It grows with each decision, and with each end of one."""
        with self._reading() as connection:
            return self._version(connection)

    @staticmethod
    def _version(connection: Connection) -> int:
        return int(connection.execute(select(counters.c.value).where(counters.c.name == VERSIONS)).scalar_one())

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _told(), self._engine.connect().execution_options(**READING) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _told(), self._engine.begin() as connection:
            yield connection


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(_in_words(error)) from error


def _in_words(error: SQLAlchemyError) -> str:
    """The database's own words, in a line: no statement, whose values may be somebody's picture, and no password."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return " ".join(said.split())[:300] or type(error).__name__
