"""Does what a plan says. A file is never overwritten, and never only half of it is there under its name."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pipeline.errors import RunError
from pipeline.sorting.folder_names import part_of
from pipeline.sorting.journal import MADE, Journal
from pipeline.sorting.plan import Plan, Step

_NO_HARD_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def carry_out(plan: Plan, way: str, progress: Callable[[int], object] = lambda files: None) -> Path:
    """Links, copies or moves all files of a plan.

    Args:
        plan: what goes where.
        way: "link", "copy" or "move".
        progress: called with 1 after each file.

    Returns:
        The journal.

    Raises:
        RunError: a file could not be placed; those before it are, it and the rest are where they were.
    """
    made = [folder for folder in (plan.into, *plan.into.parents) if not folder.exists()]
    try:
        plan.into.mkdir(parents=True, exist_ok=True)
        journal = Journal(plan.into)
        for folder in reversed(made):
            journal.note(MADE, None, folder)
    except OSError as error:
        raise RunError(f"cannot write to {plan.into}: {error.strerror}; no file was touched") from error
    done = 0
    try:
        for step in plan.steps:
            _place(step, way, journal)
            done += 1
            progress(1)
    except OSError as error:
        raise RunError(
            f"{step.source}: {error}; {done} of {len(plan.steps)} files are placed, the others are "
            f"where they were. Take it back with: lookbook sort --undo {journal.path}"
        ) from error
    finally:
        journal.close()
    return journal.path


def place_copy(source: Path, target: Path) -> None:
    """Copies a file with its times; under its name it is whole.

    Raises:
        OSError: it cannot be read or written, or there is a file of that name; nothing is left then.
    """
    part = part_of(target)
    with part.open("xb") as written:  # not over the part of another run
        try:
            with source.open("rb") as content:
                shutil.copyfileobj(content, written)
            written.flush()
            os.fsync(written.fileno())
            shutil.copystat(source, part)
            rename(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def move(source: Path, target: Path) -> None:
    """Moves a file, onto another file system too; at each moment it is whole in one of the two places.

    Raises:
        OSError: it cannot; then it is where it was.
    """
    try:
        rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        before = source.stat()
        place_copy(source, target)
        try:
            _require_same(source, before)
            source.unlink()
        except BaseException:
            target.unlink()
            raise


def rename(source: Path, target: Path) -> None:
    """Another name on the same file system, which must be free: unlike ``os.rename`` it overwrites nothing.

    Raises:
        OSError: it cannot; then the file has its old name, and that alone.
    """
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        source.rename(target)
        return
    try:
        source.unlink()
    except BaseException:
        target.unlink()
        raise


def _require_same(source: Path, before: os.stat_result) -> None:
    now = source.stat()
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise OSError(errno.EBUSY, "was written to while it was moved", str(source))


def _place(step: Step, way: str, journal: Journal) -> None:
    _make_folder(step.target.parent, journal)
    if os.path.lexists(step.target):  # not noted: undo would take it for ours
        raise FileExistsError(errno.EEXIST, "there is a file of that name by now; sort again", str(step.target))
    journal.note(way, step.source, step.target)
    _WAYS[way](step)


def _make_folder(folder: Path, journal: Journal) -> None:
    for one in reversed([folder, *folder.parents]):
        if not one.exists():
            journal.note(MADE, None, one)
            one.mkdir(exist_ok=True)


_WAYS: Final[dict[str, Callable[[Step], None]]] = {
    "link": lambda step: step.target.symlink_to(step.source),
    "copy": lambda step: place_copy(step.source, step.target),
    "move": lambda step: move(step.source, step.target),
}
