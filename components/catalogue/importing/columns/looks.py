"""What the cells of a column look like: pictures, numbers that tell rows apart, a few labels, splits."""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from components.catalogue.importing.addresses import NotTaken, address_of, first_of, without_query
from components.catalogue.importing.columns.cells import LISTED, SIGNS, parts_of, paths_of
from components.catalogue.importing.columns.words import key
from components.catalogue.importing.pictures import PictureIndex
from components.catalogue.importing.sources.excel import LINK
from components.catalogue.importing.sources.splits import split_of
from components.catalogue.importing.sources.table import Table
from components.catalogue.reading.cells import is_empty, tidy
from components.catalogue.reading.errors import CatalogueError
from schema import heads, names
from schema.file_names import PICTURE_SUFFIXES

ROWS: Final = 3000
MOST: Final = 0.5
NEARLY_ALL: Final = 0.9
_NUMBER: Final = re.compile(r"[-+]?[\d.,\s]+%?")
_PIXEL: Final = re.compile(r"[A-Za-z]{0,8}[ _.-]?\d+(?:x\d+)?")
_FEWEST_PIXELS: Final = 64
_SEVERAL: Final = 3
_FEWEST_PATHS: Final = 10  # fewer do not show that their ends are names
_MANY_PATHS: Final = 200
_AGAIN: Final = 4  # times that a label comes, on average
_OF_SEVERAL: Final = ("categories", "productcategories", "kategorien", "produktkategorien", "categorias")
"""Names that say of a cell that it may hold several categories."""
_WORD_LENGTH: Final = 40  # on average; longer ones are sentences
_KINDS_OF_PRODUCT: Final = frozenset(
    (
        *("simple", "variable", "variation", "grouped", "external", "bundle", "configurable", "virtual", "physical"),
        *("digital", "downloadable", "service", "gift card", "gift_card", "product", "variant", "sku", "image", "p"),
    )
)
"""What shop software calls its own kinds of products; no picture shows them."""


@dataclass
class Look:
    """One column, by the first rows.

    Attributes:
        column: its name.
        rows: how many were looked at.
        values: text → rows, of cells that are not empty.
        fault: why its first cell that cannot be read cannot be; empty where all can.
    """

    column: str
    rows: int
    values: Counter[str] = field(default_factory=Counter)
    is_embedded: bool = False
    picture_share: float = 0.0
    id_share: float = 0.0
    fault: str = ""

    @property
    def filled(self) -> int:
        """Rows with a text."""
        return self.values.total()

    @property
    def is_picture(self) -> bool:
        """Most cells name a picture, or hold one."""
        return self.is_embedded or self.picture_share >= MOST

    @property
    def is_of_links(self) -> bool:
        """What the cells of a workbook link to, as a rule pages of products, and not files of pictures."""
        named = self.share(lambda text: without_query(text).lower().endswith(PICTURE_SUFFIXES))
        return self.column.endswith(LINK) and named < MOST

    @property
    def is_of_pages(self) -> bool:
        """Most cells are addresses of the web without a picture's suffix: of pages, or of pictures by a number."""
        return not self.is_embedded and self.share(_is_page) >= MOST

    @property
    def is_unique(self) -> bool:
        """Nearly all cells are filled, and nearly each differs."""
        return len(self.values) >= NEARLY_ALL * max(self.rows, 1)

    @property
    def is_path(self) -> bool:
        """Most cells are like ``Clothing > Shirts``, or all together are a tree by another sign."""
        return bool(self.sign) or self.share(lambda text: len(parts_of(text)) > 1) >= MOST

    @cached_property
    def sign(self) -> str:
        """What stands between the parts of paths, see :func:`paths_of`; "" where nothing shows anything but arrows."""
        if any(len(parts_of(text)) > 1 for text in self.values):
            return LISTED if _are_lists(self.values, key(self.column) in _OF_SEVERAL) else ""
        if key(self.column) == key(names.ARTICLE_TYPE_LABEL):  # that is one label, whatever its name holds
            return ""
        return next((sign for sign in SIGNS if _is_tree(self.values, sign)), "")

    @cached_property
    def root(self) -> int:
        """How many parts at the beginning of all paths are the same, and no level, for most paths have enough left."""
        paths = {text: parts_of(text, self.sign) for text in self.values}
        same = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*paths.values(), strict=False))
        lengths = sorted((len(paths[text]) + self.end + 1 for text in self.values.elements()), reverse=True)
        enough = 2 if self.sign in SIGNS else len(heads.columns())
        return max(0, min(len(list(same)), lengths[(len(lengths) - 1) // 2] - enough))

    @cached_property
    def end(self) -> int:
        """Which part is the label: the last, -1; where that is the product's own name, one before that comes again.

        It is a name where nearly all ends differ; in a larger table where most do.
        """
        paths = [parts_of(text, self.sign) for text in self.values.elements()]
        share = NEARLY_ALL if len(paths) < _MANY_PATHS else MOST
        if len(paths) < _FEWEST_PATHS or len({path[-1] for path in paths if path}) < share * len(paths):
            return -1
        for end in range(-2, -max(map(len, paths)), -1):
            ends = [path[end] for path in paths if len(path) >= -end]
            if len(ends) >= NEARLY_ALL * len(paths) and _AGAIN * len(set(ends)) <= len(ends):
                return end
        return -1

    @property
    def is_split(self) -> bool:
        """Nearly all cells name a split."""
        return self.filled > 0 and self.share(lambda text: bool(split_of(text))) >= NEARLY_ALL

    @property
    def is_number(self) -> bool:
        """Most cells are numbers."""
        return self.share(lambda text: bool(_NUMBER.fullmatch(text))) >= MOST

    @property
    def is_named_label(self) -> bool:
        """May be labels, where the column's name says so."""
        kinds = {text.casefold() for text in self.values}
        return bool(self.values) and not self.is_picture and not kinds <= _KINDS_OF_PRODUCT

    @property
    def is_label(self) -> bool:
        """A few short texts that come again and again."""
        length = sum(len(text) * count for text, count in self.values.items()) / max(self.filled, 1)
        return (
            self.is_named_label
            and not (self.is_number or self.is_split or self.is_path)
            and 2 <= len(self.values) <= MOST * self.filled
            and self.filled >= NEARLY_ALL * self.rows
            and length <= _WORD_LENGTH
        )

    @property
    def examples(self) -> str:
        """The commonest texts, for a person."""
        return ", ".join(text[:40] for text, _ in self.values.most_common(3))

    def share(self, test: Callable[[str], bool]) -> float:
        """Share of the filled cells of which something holds."""
        return sum(count for text, count in self.values.items() if test(text)) / max(self.filled, 1)


def _is_page(text: str) -> bool:
    name, url = address_of(first_of(text)[0])
    return bool(url) and not without_query(name).lower().endswith(PICTURE_SUFFIXES)


def _is_tree(texts: Collection[str], sign: str) -> bool:
    """Whether cells are paths by a sign that also stands in names, as in ``Bags/Wallets``.

    They are where all grow from one root, most of them three parts deep; and by slashes also where each begins with
    one, or nearly each is three parts deep and roots have several each.
    """
    cells = [paths_of(text, sign) for text in texts]
    paths = {tuple(path) for cell in cells for path in cell}
    if len(paths) < 2 or max(map(len, paths)) < 2:
        return False
    deep = sum(max(map(len, cell)) > 2 for cell in cells)
    if deep > MOST * len(cells) and len({path[:1] for path in paths}) == 1:
        return True
    roots = {path[0] for path in paths}
    is_grown = deep >= NEARLY_ALL * len(cells) and 2 * len(roots) <= len(paths)
    return sign == "/" and (all(text.startswith("/") for text in texts) or is_grown)


def _are_lists(texts: Collection[str], is_of_several: bool) -> bool:
    """Whether a comma parts ``Clothing > Shirts, Sale``, and is no part of a name as in ``Home > Chairs, Tables``.

    It does where the column is called so (``is_of_several``), where a comma of a name is written ``\\,``, and where
    most of what stands so without an arrow also stands alone, or beside the ends of several other paths.
    """
    if all(parts_of(text) == parts_of(text, LISTED) for text in texts):  # nothing depends on it
        return False
    if is_of_several or any("\\," in text for text in texts):
        return True
    cells = [paths_of(text, LISTED) for text in texts]
    mixed = [cell for cell in cells if len(cell) > 1 and len({len(path) > 1 for path in cell}) > 1]
    alone = {cell[0][0] for cell in cells if len(cell) == 1 or len(cell[0]) > 1}
    beside: dict[str, set[str]] = {}
    for cell in mixed:
        for path in cell:
            beside.setdefault(path[0], set()).update(other[-1] for other in cell if len(path) == 1 < len(other))
    shown = [
        all(path[0] in alone or len(beside[path[0]]) >= _SEVERAL for path in cell if len(path) == 1) for cell in mixed
    ]
    return sum(shown) > MOST * len(shown)


def look_at(table: Table, index: PictureIndex) -> tuple[list[Look], list[Mapping[str, str]]]:
    """Each column of a table by its first rows, and these rows."""
    records = [record for record in itertools.islice(table.records(), ROWS) if not record.error]
    rows: list[Mapping[str, str]] = [record.cells for record in records]
    faults = {column: fault for record in reversed(records) for column, fault in record.faults.items()}
    looks = []
    for column in table.columns:
        # Some tools write texts as bytes, which no picture is.
        is_embedded = column in table.embedded_columns and any(column in record.embedded for record in records)
        look = Look(column, len(rows), is_embedded=is_embedded, fault=faults.get(column, ""))
        look.values = Counter(text for row in rows if not is_empty(text := tidy(row.get(column, ""))))
        look.picture_share = look.share(lambda text: _names_picture(text, table.folder, index))
        look.id_share = look.share(lambda text: index.has_id(text))
        looks.append(look)
    return (_by_all_rows(table, looks) if len(rows) == ROWS and not table.embedded_columns else looks), rows


def _by_all_rows(table: Table, looks: Sequence[Look]) -> list[Look]:
    """The same; columns of paths by all rows, for a later one may be of another root, or a name with a slash."""
    paths = [look.column for look in looks if look.is_path and not (look.is_picture or look.is_unique)]
    texts: dict[str, Counter[str]] = {column: Counter() for column in paths}
    count = 0
    for record in table.records() if paths else ():
        count += not record.error
        for column in () if record.error else paths:
            texts[column].update([text] if not is_empty(text := tidy(record.cells.get(column, ""))) else [])
    return [replace(look, rows=count, values=texts[look.column]) if look.column in texts else look for look in looks]


def require_rows(table: Table, seen: Sequence[Look], index: PictureIndex) -> None:
    """Refuses a table without rows to guess by, and one whose header is a row: it would be lost."""
    if not any(look.rows for look in seen):
        if not (first := next(table.records(), None)):
            raise CatalogueError(f"{table.name} has a header and no rows")
        raise CatalogueError(f"no row of {table.name} can be read; first: {first.place}: {first.error}")
    if any(_is_cell(look, table.folder, index) for look in seen):
        raise CatalogueError(
            f"{table.name} has no header, for its first row is of a picture: {', '.join(table.columns)[:80]}; write "
            "the names of the columns above it, as in id,articleType"
        )
    pixels = [look.column for look in seen if look.is_number and _PIXEL.fullmatch(look.column)]
    if len(pixels) >= _FEWEST_PIXELS and not any(look.is_picture or look.id_share >= MOST for look in seen):
        raise CatalogueError(
            f"{table.name} has pixels as numbers, in {len(pixels):,} columns ({pixels[0]} to {pixels[-1]}), and no "
            "pictures; write those of each row as a PNG file, and name it in a column"
        )


def _is_cell(look: Look, folder: str, index: PictureIndex) -> bool:
    """Whether the name of a column is one of its cells: a picture like them, or the id of one."""
    if look.is_picture:
        return _names_picture(look.column, folder, index)
    return look.id_share >= MOST and index.has_id(look.column)


def is_parent(rows: Sequence[Mapping[str, str]], parent: str, child: str) -> bool:
    """Whether nearly each label of ``child`` stands under one of ``parent``, which has fewer."""
    pairs = Counter((tidy(row.get(child, "")), tidy(row.get(parent, ""))) for row in rows)
    most: Counter[str] = Counter()
    for (lower, _), count in pairs.items():
        most[lower] = max(most[lower], count)
    parents, children = ({pair[at] for pair in pairs} for at in (1, 0))
    return len(parents) < len(children) and most.total() >= NEARLY_ALL * max(len(rows), 1)


def _names_picture(text: str, folder: str, index: PictureIndex) -> bool:
    first, _ = first_of(text)
    try:
        name, url = address_of(first)
        if (name if url else without_query(first)).lower().endswith(PICTURE_SUFFIXES):
            return True
        if not url and ("/" in first or "\\" in first):
            return bool(index.by_path(first, folder))
    except NotTaken:
        return False
    return bool(url)
