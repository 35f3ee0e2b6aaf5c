"""What was done, in a file: each line is on the disk before the deed, so that whatever ended a run, undo knows."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from pipeline.errors import RunError
from pipeline.sorting.folder_names import JOURNAL

MADE: Final = "made"
WAYS: Final = ("link", "copy", "move")


def part_of(target: Path) -> Path:
    """Where a copy lies until it is whole, beside its place."""
    return target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.lookbook-part")


class Journal:
    """A journal that is being written, beside what it tells of."""

    def __init__(self, into: Path) -> None:
        """Begins one in ``into``, by a name of its own.

        Raises:
            OSError: it cannot be made there.
        """
        number = 1
        while True:
            self.path = into / f"{JOURNAL}-{number}.jsonl"
            with contextlib.suppress(FileExistsError):
                self._stream: IO[str] = self.path.open("x", encoding="ascii")
                return
            number += 1

    def note(self, deed: str, source: Path | None, target: Path) -> None:
        """Writes what is about to be done; on return it is on the disk."""
        names = {"from": str(source)} if source else {}
        self._stream.write(json.dumps({"do": deed, **names, "to": str(target)}) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Ends it; more can be told by another."""
        self._stream.close()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Its deeds, in their order; a last line that was cut short is none: nothing had been done yet.

    Raises:
        RunError: it is no journal.
    """
    return list(_entries(path))


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            entry = json.loads(line)
            deed, target = entry["do"], entry["to"]
            whole = deed == MADE or (deed in WAYS and isinstance(entry["from"], str))
            if not whole or not os.path.isabs(target):  # noqa: PTH117
                raise ValueError(deed)
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}, line {number} is none of a journal that `lookbook sort` wrote") from error
        yield entry
