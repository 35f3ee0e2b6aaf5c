"""What was done, in a file: each line is on the disk before the deed, so that whatever ended a run, undo knows."""

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from pipeline.errors import RunError
from pipeline.sorting.folder_names import JOURNAL

MADE: Final = "made"
WAYS: Final = ("link", "copy", "move")
_BEGINS: Final = b'{"do": "'


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
        """Writes what is about to be done; on return it is on the disk.

        Raises:
            OSError: it cannot be written, or was taken away: nothing is done that no undo would know of.
        """
        if not self.path.exists():
            raise FileNotFoundError(errno.ENOENT, "the undo file was taken away meanwhile", str(self.path))
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
    if not path.is_file():
        raise RunError(f"{path} is no file, but a device or a pipe; give an undo file that `lookbook sort` wrote")
    return list(_entries(path))


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            yield _entry(line)
        except (ValueError, KeyError, TypeError, RecursionError) as error:  # noqa: PERF203 - it tells the line
            if number == len(lines) and _BEGINS.startswith(line[: len(_BEGINS)]):
                return
            raise RunError(f"{path}, line {number} is none of a journal that `lookbook sort` wrote") from error


def _entry(line: bytes) -> dict[str, Any]:
    entry = json.loads(line)
    places = [entry["to"]] if entry["do"] == MADE else [entry["to"], entry["from"]]
    if entry["do"] not in (MADE, *WAYS) or not all(map(_is_place, places)):
        raise ValueError(entry)
    return dict(entry)


def _is_place(path: str) -> bool:
    """Whether a file may be there; fsencode refuses what is no name at all."""
    return os.path.isabs(path) and bool(Path(path).name) and b"\0" not in os.fsencode(path)  # noqa: PTH117
