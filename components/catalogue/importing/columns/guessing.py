"""Which column is what, guessed by names in several languages and by what the cells look like."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from components.catalogue.importing.columns.cells import base_of, is_known, parts_of
from components.catalogue.importing.columns.looks import MOST, NEARLY_ALL, Look, is_parent
from components.catalogue.importing.columns.words import (
    BETWEEN,
    GENERIC,
    OF_MODELS,
    OPTIONS,
    PARENT,
    PERHAPS,
    PICTURE,
    ROLES,
    SYNONYMS,
    bare_key,
    inner_key,
    key,
    plain_key,
)
from components.catalogue.importing.sources.questions import Ask, Question
from components.catalogue.reading.errors import CatalogueError
from schema import names

_FOLDER: Final = re.compile(r"folder \d")
_TYPE, _SUB, _MASTER = names.ARTICLE_TYPE_LABEL, names.SUB_CATEGORY_LABEL, names.MASTER_CATEGORY_LABEL
_ATTRIBUTES: Final = (names.GENDER, names.BASE_COLOUR, names.SEASON, names.USAGE, names.PRODUCT_NAME)


class Guess:
    """The columns of one table.

    Attributes:
        columns: role → column; "" for a role that is to have none.
        why: role → how that was found: ``given``, ``by its name``, ``by what it holds``, ``asked``.
    """

    def __init__(
        self, looks: Sequence[Look], rows: Sequence[Mapping[str, str]], given: Mapping[str, str], ask: Ask
    ) -> None:
        """Guesses the columns that are not given.

        Args:
            looks: at each column.
            rows: that were looked at.
            given: role → column, or "" for none.
            ask: where several columns may be meant.

        Raises:
            CatalogueError: a given column is not there, or nobody answers a question.
        """
        self._looks, self._rows, self._ask = {look.column: look for look in looks}, rows, ask
        self.columns: dict[str, str] = {}
        self.why: dict[str, str] = {}
        for role, column in given.items():
            self._take(role, self._known(role, column), "given")
        self._guess_split_and_year()
        self._guess_picture()
        self._guess_id()
        self._guess_labels()
        for role in _ATTRIBUTES:
            self._by_name(role, lambda look: bool(look.values) and not look.is_picture)
        self._by_name(PARENT, lambda look: not look.is_unique and not look.is_picture)
        self.columns = {role: self.columns[role] for role in ROLES if role in self.columns}

    def _known(self, role: str, wanted: str) -> str:
        if role == _TYPE and not wanted:
            raise CatalogueError(f"{OPTIONS[role]} is '', and it is what is learnt; say which column tells it")
        if not wanted or is_known(wanted, self._looks):
            return wanted
        for column in self._looks:
            if key(column) == key(wanted):
                return column
        raise CatalogueError(
            f"{OPTIONS[role]} is {wanted!r}, and there is no such column; there are: {', '.join(self._looks)}"
        )

    def _take(self, role: str, column: str, why: str) -> None:
        if role not in self.columns:
            self.columns[role], self.why[role] = column, why

    def _free(self) -> list[Look]:
        """Columns without a use; one that is given for an upper level may be the type's too."""
        shared = (_SUB, _MASTER) if _TYPE not in self.columns else ()
        taken = {base_of(column) for role, column in self.columns.items() if role not in shared}
        return [look for look in self._looks.values() if look.column not in taken]

    def _named(
        self, words: Sequence[str], test: Callable[[Look], bool], ways: Sequence[Callable[[str], str]] = ()
    ) -> list[Look]:
        """Free columns of these names, the surest first; without any, those that are so but for what is around them."""
        for name in (key, plain_key, bare_key, *ways):
            if found := [look for look in self._free() if name(look.column) in words and test(look)]:
                return sorted(found, key=lambda look: words.index(name(look.column)))
        return []

    def _by_name(self, role: str, test: Callable[[Look], bool], ways: Sequence[Callable[[str], str]] = ()) -> bool:
        if role in self.columns:
            return True
        words = (key(role), *SYNONYMS[role])
        found = self._named(words, test, ways)
        if found:
            self._take(role, found[0].column, "by its name")
        return bool(found)

    def _guess_split_and_year(self) -> None:
        self._by_name(names.SPLIT_COLUMN, lambda look: look.is_split)
        self._by_name(names.YEAR, lambda look: look.is_number)

    def _guess_picture(self) -> None:
        if PICTURE in self.columns:
            return
        embedded = [look for look in self._free() if look.is_embedded]
        # An address without a picture's suffix is a page's where the pictures are named by what tells rows apart.
        has_files = any(look.id_share >= NEARLY_ALL and look.is_unique for look in self._free())
        pictures = [look.column for look in self._free() if look.is_picture and not (has_files and look.is_of_pages)]
        if len(embedded) == 1:
            self._take(PICTURE, embedded[0].column, "by what it holds")
        elif not self._by_name(PICTURE, lambda look: look.column in pictures):
            found = [look for look in self._free() if look.column in pictures and not look.is_of_links]
            ids = self._named((names.ID, *SYNONYMS[names.ID], *OF_MODELS), lambda look: look.id_share >= MOST)
            # Files that are named by ids need no question.
            self._one_of(PICTURE, [] if len(found) > 1 and ids else found)

    def _guess_id(self) -> None:
        if names.ID in self.columns:
            return
        # A column of prices may be unique too: one that is no id by its name has to be the names of pictures.
        named = self._named((names.ID, *SYNONYMS[names.ID]), lambda look: bool(look.values) and not look.is_picture)
        named = named or self._named(OF_MODELS, lambda look: look.is_unique and not look.is_picture)
        of_pictures = [look for look in self._free() if look.id_share >= MOST and look.is_unique]
        unique = [look for look in named if look.is_unique]
        best = [look for look in of_pictures if look in named] or of_pictures
        if PICTURE in self.columns:
            best = unique or named
        if best := best or unique or named:
            why = "by its name" if best[0] in named else "by what it holds"
            self._take(names.ID, best[0].column, why)

    def _guess_labels(self) -> None:
        folders = [column for column in self._looks if _FOLDER.fullmatch(column)]
        if folders and _TYPE not in self.columns:
            self._from_folders(folders)
            return
        generic = self._labels_named(GENERIC)
        levels = {level: self._labels_named((key(level), *SYNONYMS[level])) for level in (_TYPE, _SUB, _MASTER)}
        paths = [look for look in [*levels[_TYPE], *generic] if look.is_path]
        paths.sort(key=lambda look: look.filled < MOST * look.rows)  # one that few rows have tells less than any other
        plain = [look for look in generic if not look.is_path]
        self._guess_type([look for look in levels[_TYPE] if not look.is_path], paths, plain, levels)
        self._guess_upper(paths, plain)

    def _labels_named(self, words: Sequence[str]) -> list[Look]:
        return self._named(words, lambda look: look.is_named_label, ways=[inner_key])

    def _from_folders(self, folders: Sequence[str]) -> None:
        self._take(_TYPE, folders[-1], "the innermost folder")
        if len(folders) > 1:
            self._take(_MASTER, folders[0], "the outermost folder")
        if len(folders) > 2:
            self._take(_SUB, folders[1], "the folder between")

    def _guess_type(
        self, types: Sequence[Look], paths: Sequence[Look], plain: Sequence[Look], levels: Mapping[str, Sequence[Look]]
    ) -> None:
        """The finest label: named so, else the end of a path, else the only label that there is."""
        if _TYPE in self.columns:
            return
        exact = [look for look in types if key(look.column) == key(_TYPE)]
        if exact or types:
            self._one_of(_TYPE, exact or types, "by its name")
        elif paths:
            is_name = paths[0].end < -1
            why = "before the end of a path, which is a product's own name" if is_name else "the end of a path"
            self._take(_TYPE, f"{paths[0].column}[{paths[0].sign}{paths[0].end}]", why)
        elif found := [*levels[_SUB], *plain] or levels[_MASTER]:
            finest = self._finest(found)
            # One label for all tells nothing, so another column may be meant.
            more = [look for look in self._perhaps() if look not in finest] if _are_alike(finest) else []
            self._one_of(_TYPE, [*finest, *more], "by its name")
        else:
            self._one_of(_TYPE, self._perhaps())
        if _TYPE not in self.columns:
            faults = "".join(f"{look.column!r} has a {look.fault}. " for look in self._looks.values() if look.fault)
            alone = "; or save it with a comma or a tab between its columns" if len(self._looks) == 1 else ""
            raise CatalogueError(
                f"no column tells what a product is; there are: {', '.join(self._looks)}. {faults}Say which: "
                f"{OPTIONS[_TYPE]}; or, if the folders of the pictures tell it, take the sheet out of the source{alone}"
            )

    def _perhaps(self) -> list[Look]:
        """Columns that may tell the type, by names that may mean another thing, or by what they hold."""
        perhaps = self._labels_named(PERHAPS)
        others = [look for look in self._free() if look.is_label and not self._means_else(look)]
        # A group of flags has that name from us, and stands behind what has one of its own.
        others = [look for look in others if BETWEEN not in look.column] or others
        return [*perhaps, *(look for look in others if look not in perhaps)]

    def _finest(self, found: Sequence[Look]) -> Sequence[Look]:
        """The one that all others stand above; all of them where none is such."""
        for look in found:
            others = (other.column for other in found if other is not look)
            if all(is_parent(self._rows, other, look.column) for other in others):
                return [look]
        return found

    def _guess_upper(self, paths: Sequence[Look], plain: Sequence[Look]) -> None:
        """Levels above: named so, else parts of a path, else a label that stands above the type."""
        for level in (_SUB, _MASTER):
            self._by_name(level, lambda look: look.is_named_label, [inner_key])
        if paths:
            column, sign, root, end = paths[0].column, paths[0].sign, paths[0].root, paths[0].end
            self._take(_MASTER, f"{column}[{sign}{root + 1}]", "the beginning of a path")
            # Where the type is the end of that path, the second part is another one only of a longer path.
            is_end = self.columns[_TYPE] == f"{column}[{sign}{end}]"
            if not is_end or paths[0].share(lambda text: len(parts_of(text, sign)) + end + 1 > root + 2) >= MOST:
                self._take(_SUB, f"{column}[{sign}{root + 2}]", "the second part of a path")
        for look in (look for look in plain if not look.is_number):
            if look in self._free() and is_parent(self._rows, look.column, self.columns[_TYPE]):
                self._take(_MASTER if _MASTER not in self.columns else _SUB, look.column, "stands above the type")

    def _one_of(self, role: str, found: Sequence[Look], why: str = "by what it holds") -> None:
        if len(found) == 1:
            self._take(role, found[0].column, why)
        elif found:
            chosen = self._ask(
                Question(f"the column of {role}", OPTIONS[role], [(look.column, look.examples) for look in found])
            )
            self._take(role, self._known(role, chosen), "asked")

    def _means_else(self, look: Look) -> bool:
        others: Iterable[str] = (name for role in (*_ATTRIBUTES, names.ID, names.YEAR) for name in SYNONYMS[role])
        return key(look.column) in {*others, *OF_MODELS, *map(key, _ATTRIBUTES)}


def _are_alike(looks: Sequence[Look]) -> bool:
    """Whether each of the columns has one label for all rows."""
    return all(len(look.values) == 1 for look in looks)
