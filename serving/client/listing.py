"""What is in a folder: which files are pictures to ask about, and why each other one is not."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final

from schema import file_names
from schema.file_names import as_text, is_of_a_system
from schema.pictures import PictureFault
from schema.pictures.kinds import reader

HEAD_BYTES: Final = 4096
PICTURE_SUFFIXES: Final = (
    *file_names.PICTURE_SUFFIXES,
    *(".jp2", ".jxl", ".psd", ".svg", ".ico"),
)
LEFT_OUT: Final = "is hidden, or a system's own"


@dataclass
class Listing:
    """All files below a folder.

    Args:
        pictures: name below the folder, as text → file, in the order of the names.
        skipped: name → why it is not asked about.
        unreadable: name of a folder that cannot be looked into → why.
    """

    pictures: dict[str, Path] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def note(self, folder: Path, top: Path, error: OSError) -> None:
        """Notes a folder in or below ``top`` that cannot be looked into."""
        self.unreadable[_name(folder, top)] = error.strerror or str(error)


def list_folder(folder: Path, beside: Path | None = None) -> Listing:
    """Looks through a folder and all below it. The content decides what a file is, not its name.

    A file whose name says that it is a picture is asked about in any case, so that it gets its error.

    Args:
        folder: where to look; links to folders are not followed.
        beside: a file that may lie there and is ours.

    Raises:
        NotADirectoryError: there is no such folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    listing = Listing()
    ours = beside and os.path.realpath(beside)
    # realpath bears links that go in circles
    add_files(
        listing, folder, (path for path in files_below(folder, folder, listing) if os.path.realpath(path) != ours)
    )
    return listing


def files_below(top: Path, folder: Path, listing: Listing) -> Iterator[Path]:
    """Files, and links to folders, in ``top`` and all below it; what cannot be looked into is noted.

    Args:
        top: where to look; links to folders below it are not followed.
        folder: that the names are below.
        listing: which notes it.
    """

    def cannot_look(error: OSError) -> None:
        listing.note(Path(error.filename), folder, error)

    for place, below, files in os.walk(top, onerror=cannot_look):
        yield from (Path(place, name) for name in (*files, *_links(place, below)))


def add_files(listing: Listing, folder: Path, files: Iterable[Path]) -> None:
    """Adds files below ``folder``, in order, to the pictures or to what is skipped."""
    for path in sorted(files):
        name, why = free_name(_name(path, folder), listing), _why_not(path, folder)
        if why:
            listing.skipped[name] = why
        else:
            listing.pictures[name] = path


def _links(top: str, folders: list[str]) -> list[str]:
    """Those of the folders in ``top`` that are links, into which nobody looks: they might lead in circles."""
    return [name for name in folders if Path(top, name).is_symlink()]


def _name(path: Path, folder: Path) -> str:
    return as_text(path.relative_to(folder).as_posix())


def free_name(name: str, listing: Listing) -> str:
    r"""The name, with a number where another reads the same: the byte e9, and ``\xe9`` in letters."""
    free, number = name, 2
    while free in listing.pictures or free in listing.skipped:
        free, number = f"{name} ({number})", number + 1
    return free


def _why_not(path: Path, folder: Path) -> str:
    """Why a file is no picture to ask about; "" if it is one."""
    name = path.relative_to(folder)
    if not is_of_a_system(name.parts) and not path.is_file():
        if path.is_dir():
            return "is a link to a folder"
        return "is no file" if path.exists() else "is a link to nothing"

    def head() -> bytes:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)

    return why_no_picture(name, head)


def why_no_picture(name: PurePath, head: Callable[[], bytes]) -> str:
    """Why a file of this name is no picture to ask about; "" if it is one.

    Args:
        name: below the folder that was given.
        head: reads the first :data:`HEAD_BYTES`, which are looked at where the name does not tell.
    """
    if is_of_a_system(name.parts):
        return LEFT_OUT
    if name.suffix.lower() in PICTURE_SUFFIXES:
        return ""
    content = b""
    try:
        content = head()
        reader(content)
    except PictureFault as fault:
        return str(fault).partition(";")[0] if content else "is empty"
    except OSError:
        return ""  # asked about, for the error of its own
    return ""
