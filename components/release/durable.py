"""Changes to a disk that a power cut does not undo and that a kill never leaves half-done."""

import errno
import os
from pathlib import Path

SUFFIX = ".incoming"
"""Of a file that is being written."""

_NO_FSYNC_FOR_FOLDERS = (errno.EBADF, errno.EINVAL)
"""What file systems without it answer; PostgreSQL passes over the same two."""


def sync(path: Path) -> None:
    """Returns once the file's content, or the folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (path.is_dir() and error.errno in _NO_FSYNC_FOR_FOLDERS):
            raise
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """The same for all that is below a folder, and for the folder."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if not path.is_symlink():
            sync(path)
    sync(folder)


def make_folder(path: Path) -> None:
    """Makes a folder, and those above it, if it is not there.

    Raises:
        NotADirectoryError: something else has its name, or that of one above it.
    """
    if not path.is_dir():
        if os.path.lexists(path):
            raise NotADirectoryError(errno.ENOTDIR, "something is there that is no folder; give another", str(path))
        make_folder(path.parent)
        path.mkdir()
        sync(path.parent)


def rename(source: Path, target: Path) -> None:
    """Moves a file or folder to where nothing is."""
    source.rename(target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)


def write(path: Path, text: str) -> None:
    """Writes a file of which nobody ever sees a part."""
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}{SUFFIX}")
    temporary.write_text(text, encoding="utf-8")
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def remove(path: Path) -> None:
    """Removes a file."""
    path.unlink()
    sync(path.parent)
