"""What is not on this machine, for code that takes a path: a file or a folder by its URI."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from components.storage.ranged import RangedFile
from components.storage.store import Store
from components.storage.uri import checked, is_uri


@dataclass(frozen=True)
class Remote:
    """A place by its URI, asked like a ``Path``. Methods that ask the store raise ``StorageError``."""

    uri: str

    def __str__(self) -> str:
        return self.uri

    @property
    def name(self) -> str:
        """The last part."""
        return self.uri.rpartition("/")[2]

    @property
    def parent(self) -> "Remote":
        """The folder in which it lies."""
        return Remote(self.uri.rpartition("/")[0])

    @property
    def store(self) -> Store:
        """A store whose root it is; a new one each time, so that no listing is remembered."""
        return Store(self.uri)

    @cached_property
    def size(self) -> int | None:
        """Bytes of a file; None for a folder. Asked once: what lies there is told by its content from then on."""
        return self.store.size()

    def resolve(self) -> "Remote":
        """Itself: there are no links and no other folder to start from."""
        return self

    def is_file(self) -> bool:
        """Whether it is a file; else it is a folder."""
        return self.size is not None

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return not self.is_file()

    def open(self) -> RangedFile:
        """The file, of which only those parts are fetched that are read."""
        return RangedFile(self.store, self.size or 0)


Location: TypeAlias = Path | Remote
"""Where data lies: here or elsewhere."""


def location(text: str) -> Location:
    """The path or URI of a text.

    Raises:
        StorageError: it is a URI, and a bad one.
    """
    if not is_uri(text):
        return Path(text)
    uri = checked(text)
    return Path(uri.removeprefix("file://")) if uri.startswith("file://") else Remote(uri)
