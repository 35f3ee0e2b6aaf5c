"""What goes wrong between this machine and a store."""


class StorageError(Exception):
    """A store cannot be reached, read or written; the message says what would help."""


class Missing(StorageError):
    """There is nothing of that name, or nobody may see it with these credentials."""


class Archived(StorageError):
    """An object is there, in an archive from which nobody can read it before it is restored."""
