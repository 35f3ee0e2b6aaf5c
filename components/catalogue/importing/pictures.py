"""Where the picture of a row is: the file, the URL or the cell that it means, or why there is none."""

import itertools
import os
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

from components.catalogue.importing.addresses import NotTaken, without_query
from components.catalogue.importing.sources.files import Files
from components.catalogue.reading.cells import alike, tidy, without_entities
from components.catalogue.reading.findings import Reason
from schema.file_names import PICTURE_SUFFIXES, as_written, preference

_BEHIND_ID: Final = re.compile(r"[\s_.\-(]")


class Kind(Enum):
    """Where the bytes of a picture are."""

    FILE = "file"
    URL = "URL"
    CELL = "cell"


@dataclass(frozen=True)
class Located:
    """A picture: the name of its file, its URL, or the column of its cell; and what its name says."""

    kind: Kind
    where: str
    stem: str = ""


class PictureIndex:
    """The files of a place, by path, by name, and by what an id may be.

    Attributes:
        files: that they are of.
        pictures: those of them that are pictures by their name.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.pictures = [name for name in files.names if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES]
        self._names = frozenset(files.names)
        self._paths: dict[str, str] = {}
        self._twins: set[str] = set()
        for name in files.names:
            path = _same(name)
            if self._paths.setdefault(path, name) != name:
                self._twins.add(path)
        self._named: dict[str, list[str]] = defaultdict(list)
        self._stems: dict[str, list[str]] = defaultdict(list)
        self._beginnings: dict[str, list[str]] = defaultdict(list)
        self._folders: dict[str, list[str]] = defaultdict(list)
        for name in self.pictures:
            base = _same(name.rpartition("/")[2])
            stem = os.path.splitext(base)[0]  # noqa: PTH122 - thousands of times
            self._named[base].append(name)
            if folder := _same(name).rpartition("/")[0].rpartition("/")[2]:
                self._folders[folder].append(name)
            self._stems[stem].append(name)
            for found in _BEHIND_ID.finditer(stem):
                self._beginnings[stem[: found.start()]].append(name)
        self._alike: dict[str, list[str]] = defaultdict(list)
        for stem in self._stems:
            self._alike[alike(stem)].append(stem)

    @property
    def stems(self) -> Collection[str]:
        """What ids may be, in the letters of :meth:`by_id`."""
        return self._stems.keys()

    def has_id(self, row_id: str) -> bool:
        """Whether a file, or a folder with pictures, has the id as its name."""
        wanted = _same(row_id)
        return wanted in self._stems or wanted in self._folders

    def by_path(self, text: str, folder: str = "") -> str:
        """The file that a path means: relative to ``folder``, to the top, or to a place that only its writer had.

        Raises:
            NotTaken: there is none, there are several, or it leads out.
        """
        try:
            return self._by_path(text, folder)
        except NotTaken:
            # As other tools write a path: with %20 or &amp;, in quotes, with characters that nobody sees.
            other = without_query(tidy(unquote(without_entities(text))).strip("'\""))
            if other == text:
                raise
            return self._by_path(other, folder)

    def _by_path(self, text: str, folder: str) -> str:
        path = _same(re.sub(r"^file:/+", "/", text, flags=re.IGNORECASE).replace("\\", "/"))
        inside = posixpath.normpath(posixpath.join(folder and _same(folder), path.lstrip("/")))
        # Linux and zips keep names apart that differ in case alone: the one as it is written counts.
        exact = text.replace("\\", "/").lstrip("/")
        for known in (posixpath.normpath(posixpath.join(folder, exact)), posixpath.normpath(exact)):
            if known in self._names:
                return known
        for known in (inside, posixpath.normpath(path.lstrip("/"))):
            if known in self._paths and known not in self._twins:
                return self._paths[known]
        base = path.rpartition("/")[2]
        found = self._named.get(base) or self._stems.get(base, [])
        if inside.startswith("../") and not found:
            raise NotTaken(Reason.OUTSIDE, f"{text!r} leads out of {self.files.path}, which is not looked at")
        return self._only(_nearest(path, found), text)

    def by_id(self, row_id: str, ids: Collection[str] = ()) -> tuple[str, bool]:
        """The file whose name is the id, else the first that begins with it (``10001_front.jpg``), else the one alike.

        A product may have a folder of its own, ``10001/front.jpg``, whose first picture counts.
        Alike is what differs as spreadsheets and file systems make it: 7 for 007.jpg. The flag says that it is so.

        Args:
            row_id: the id.
            ids: of all rows, folded by :func:`folded`: a file that begins with a longer one is of that.

        Raises:
            NotTaken: there is none, or several of the name.
        """
        wanted = _same(row_id)
        own = self._folders.get(wanted, [])
        if found := self._stems.get(wanted):
            inside = [name for name in found if name in own]
            exact = [name for name in inside or found if PurePosixPath(name).stem == row_id]
            # Of a folder for each product, another one's tenth picture is not that of the product 10.
            return self._only(inside or [*(exact or found), *own[:1]], row_id), False
        if own:
            return min(own), False
        for name in self._beginnings.get(wanted, ()):
            stem = _same(PurePosixPath(name).stem)
            owners = [stem[: at.start()] for at in _BEHIND_ID.finditer(stem)] + [stem]
            if max((one for one in owners if one in ids), key=len, default=wanted) == wanted:
                return name, False
        stems = [stem for stem in self._alike.get(alike(wanted), ()) if stem not in ids]
        if len(stems) == 1:
            return self._only(self._stems[stems[0]], row_id), True
        raise NotTaken(Reason.MISSING_IMAGE, f"no file named {row_id} below {self.files.path}")

    def _only(self, found: Sequence[str], text: str) -> str:
        """The one file; of one name in several formats the one that a catalogue prefers."""
        if not found:
            raise NotTaken(Reason.MISSING_IMAGE, f"no file {text!r} below {self.files.path}")
        if len({os.path.splitext(name)[0] for name in found}) > 1:  # noqa: PTH122 - thousands of times
            raise NotTaken(Reason.SEVERAL_IMAGES, f"{text!r} may be {', '.join(found[:4])}; give the path")
        return min(found, key=preference)


def is_end_alone(text: str, name: str) -> bool:
    """Whether a file shares only the end of its path with the path that it was found by."""
    wanted = posixpath.normpath(_same(without_query(text).replace("\\", "/")))
    return not f"/{_same(name)}".startswith(f"/{wanted}") and not f"/{_same(name)}".endswith(
        (f"/{wanted}", f"/{wanted}{PurePosixPath(name).suffix.lower()}")
    )


def folded(row_id: str) -> str:
    """An id as names of files are compared with it."""
    return _same(row_id)


def _same(text: str) -> str:
    """macOS takes letters and accents apart, Windows minds no case and may have a code page of its own."""
    return unicodedata.normalize("NFC", as_written(text)).casefold()


def _nearest(path: str, found: Sequence[str]) -> list[str]:
    """Those that share most of the folders at the end of ``path``."""
    wanted = path.split("/")[-2::-1]
    shared = {name: _begin_alike(wanted, _same(name).split("/")[-2::-1]) for name in found}
    return [name for name in found if shared[name] == max(shared.values())]


def _begin_alike(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return len(list(pairs))
