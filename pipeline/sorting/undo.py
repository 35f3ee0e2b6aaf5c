"""Takes back what a journal tells of. What a person has changed since stays, and is named."""

import contextlib
import filecmp
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import RunError
from pipeline.sorting.carry_out import move
from pipeline.sorting.folder_names import part_of
from pipeline.sorting.journal import MADE, read_journal


@dataclass
class Undone:
    """What was taken back, and what not: place → why."""

    files: int = 0
    kept: dict[str, str] = field(default_factory=dict)


def undo(journal: Path) -> Undone:
    """Takes back all that can be, the last deed first; with nothing kept the journal goes too.

    A deed that was not done, or taken back before, is passed over: an undo that was interrupted can be run again.

    Raises:
        RunError: that is no journal, or the folder that it tells of has another place now.
    """
    outcome = Undone()
    entries = read_journal(journal)
    folders = [Path(entry["to"]) for entry in entries if entry["do"] == MADE]
    deeds = [entry for entry in reversed(entries) if entry["do"] != MADE]
    _require_in_place(journal, [Path(entry["to"]) for entry in deeds])
    for entry in deeds:
        source, target = Path(entry["from"]), Path(entry["to"])
        try:
            part_of(target).unlink(missing_ok=True)
            why = _WAYS[entry["do"]](source, target, outcome)
        except OSError as error:
            why = error.strerror or str(error)
        if why:
            outcome.kept[str(target)] = why
    if entries and not outcome.kept:
        journal.unlink()
    for folder in reversed(folders):
        with contextlib.suppress(OSError):  # one that holds something, or is none by now, stays
            folder.rmdir()
    return outcome


def _require_in_place(journal: Path, targets: Sequence[Path]) -> None:
    """Else it would seem that all was taken back before, and the journal would go."""
    if any(map(os.path.lexists, targets)) or all(one.is_relative_to(journal.parent) for one in targets):
        return
    told = os.path.commonpath([one.parent for one in targets])
    raise RunError(
        f"{journal} tells of files in {told}, and none is there; if that folder was renamed, name it so again"
    )


def _link(source: Path, target: Path, outcome: Undone) -> str:
    if not os.path.lexists(target):
        return ""
    if not target.is_symlink() or os.readlink(target) != str(source):  # noqa: PTH115
        return "is no longer the link that was made"
    target.unlink()
    outcome.files += 1
    return ""


def _copy(source: Path, target: Path, outcome: Undone) -> str:
    if not os.path.lexists(target):
        return ""
    if not source.is_file():
        return f"may be the last copy: {source} is gone"
    if source.samefile(target):
        return f"is what {source} leads to now"
    if target.is_symlink() or not target.is_file() or not filecmp.cmp(source, target, shallow=False):
        return "was changed since"
    target.unlink()
    outcome.files += 1
    return ""


def _move(source: Path, target: Path, outcome: Undone) -> str:
    if not os.path.lexists(target):
        return "" if os.path.lexists(source) else f"is gone, and {source} is not there either"
    if os.path.lexists(source):
        # A run was killed between its two steps; or there is another file now.
        if source.is_symlink() or not source.is_file() or not filecmp.cmp(source, target, shallow=False):
            return f"there is another file at {source} now"
        target.unlink()
    elif target.is_symlink() or not target.is_file():
        return "is no longer the file that was moved"
    else:
        source.parent.mkdir(parents=True, exist_ok=True)
        move(target, source)
    outcome.files += 1
    return ""


_WAYS = {"link": _link, "copy": _copy, "move": _move}
