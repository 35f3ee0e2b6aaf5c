"""What can go wrong with the store, in words for people; no word of it tells a password."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class StoreError(Exception):
    """The database does not do what it should: it is away, locked, full, broken, or of another version."""


class Conflict(Exception):
    """What was asked for is not possible any more, since somebody or something came before."""


class Missing(Exception):
    """There is no such card or decision."""


def in_words(error: SQLAlchemyError) -> str:
    """The database's own words, in a line, without the statement and its values, which may be somebody's picture."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return " ".join(said.split())[:300] or type(error).__name__
