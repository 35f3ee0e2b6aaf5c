"""What can go wrong with the store, in words for people."""


class StoreError(Exception):
    """The database does not do what it should: it is away, locked, full, broken, or of another version."""


class Conflict(Exception):
    """What was asked for is not possible any more, since somebody or something came before."""


class Missing(Exception):
    """There is no such card or decision."""
