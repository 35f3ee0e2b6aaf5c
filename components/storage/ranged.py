"""A file in a store that is read in ranges, for whoever jumps about in it, as a reader of zips does."""

import io
from typing import Any, Final

from components.storage.store import Store

_LEAST_BYTES: Final = 64 << 10
"""Of a request: the round trip costs more than the rest of them."""


class RangedFile(io.RawIOBase):
    """A file of a store; what was fetched last is kept, and nothing else."""

    def __init__(self, store: Store, size: int) -> None:
        super().__init__()
        self._store, self._size, self._position = store, size, 0
        self._start, self._window = 0, b""

    def expect(self, start: int, length: int) -> None:
        """Fetches a part that is about to be read, by one request."""
        if not self._start <= start <= start + length <= self._start + len(self._window):
            self._start, self._window = start, self._store.read_range(start, min(start + length, self._size))

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer, but at the file's end."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        self.expect_at_least(self._position, wanted)
        offset = self._position - self._start
        part = self._window[offset : offset + wanted]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def expect_at_least(self, start: int, length: int) -> None:
        """Fetches that part and some more, unless it is here."""
        if not self._start <= start <= start + length <= self._start + len(self._window):
            self.expect(start, max(length, _LEAST_BYTES))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes somewhere; fetches nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where it is."""
        return self._position

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True
