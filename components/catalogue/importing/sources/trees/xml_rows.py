"""XML as objects: each element that comes again is a row, and what lies in it is flattened as JSON is."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.parsers import expat

from components.catalogue.importing.sources.documents import as_record, flat, listed
from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.table import Table
from components.catalogue.importing.sources.trees.keyed import names_picture
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.errors import CatalogueError

XML: Final = ".xml"
TEXT: Final = "value"
"""The key of an element's own text where it has attributes or elements too."""
_DEEPEST: Final = 100
_MOST: Final = 3_000_000  # elements; each takes some hundred bytes of memory
_ABOUT_XML: Final = ("xml", "xmlns", "xsi")
"""Spaces of names that tell how to read XML, and nothing of a product."""


@dataclass(slots=True)
class _Element:
    """An element: its name, its attributes, the elements in it, and its own text."""

    name: str
    attributes: dict[str, str]
    inner: "list[_Element]" = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def xml_table(files: Files, name: str) -> Table:
    """A file of elements that come again, as the products of a feed do.

    Raises:
        CatalogueError: it is no XML, has a document type, or no element comes again.
    """
    rows = _rows(_parsed(files.read_sheet(name), name))
    if not rows:
        raise CatalogueError(
            f"{name} has no element that comes again, as a product of a feed does; most shops give a feed as CSV or "
            "TSV too, or save it as .xlsx, CSV, JSON lines or Parquet"
        )
    values = enumerate(map(_value, rows), 1)
    return listed(name, [as_record(f"{name}, {rows[0].name} {at}", at, _object(value)) for at, value in values])


def read_xml(files: Files, name: str) -> Any:
    """The object of a whole document, of one thing.

    Raises:
        CatalogueError: it is no XML, or has a document type.
    """
    return _object(_value(_parsed(files.read_sheet(name), name)))


def has_rows(files: Files, name: str) -> bool:
    """Whether an element of a document comes again; raises as :func:`read_xml` does."""
    return bool(_rows(_parsed(files.read_sheet(name), name)))


def has_rows_of_pictures(files: Files, name: str, tells_label: Callable[[Iterable[str]], bool]) -> bool:
    """Whether most elements that come again in a document name a picture and a label.

    Settings beside class folders do not, nor does a map of a site, or of boxes.
    """
    try:
        rows = _rows(_parsed(files.read_sheet(name), name))
    except CatalogueError:
        return False
    cells = (dict(flat(_object(_value(row)))) for row in rows)
    named = sum(any(map(names_picture, of.values())) and tells_label(of) for of in cells)
    return 2 * named > len(rows)


class _Tree:
    """What a parser tells, as elements in elements."""

    def __init__(self, name: str) -> None:
        self.top = _Element("", {})
        self._name, self._opened, self._count = name, [self.top], 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._count += 1
        if len(self._opened) > _DEEPEST or self._count > _MOST:
            raise CatalogueError(f"{self._name} is deeper than {_DEEPEST} elements, or has more than {_MOST:,}")
        told = {_plain(key): text for key, text in attributes.items() if key.partition(":")[0] not in _ABOUT_XML}
        element = _Element(_plain(tag), told)
        self._opened[-1].inner.append(element)
        self._opened.append(element)

    def end(self, _: str) -> None:
        """The last one that began ends."""
        self._opened.pop()

    def text(self, text: str) -> None:
        """A piece of the own text of an element."""
        self._opened[-1].texts.append(text)

    def refuse(self, *_: Any) -> NoReturn:
        """Entities can be bombs, and files of other people: what may declare any is not read."""
        raise CatalogueError(f"{self._name} has a document type (<!DOCTYPE …>), which is not read; leave it out")


def _parsed(content: bytes, name: str) -> _Element:
    """The outermost element."""
    tree, parser = _Tree(name), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = tree.start, tree.end, tree.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = tree.refuse
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise CatalogueError(f"{name} is no XML: {error}") from error
    return tree.top.inner[0]


def _plain(name: str) -> str:
    """A name without its space: ``g:id`` is ``id``."""
    return name.rpartition(":")[2]


def _rows(root: _Element) -> list[_Element]:
    """The elements that come again, of the outermost level that has any: those of the name that comes most often."""
    level = [root]
    while level:
        counts = [
            (count, element, name)
            for element in level
            for name, count in Counter(one.name for one in element.inner if one.inner or one.attributes).items()
        ]
        count, element, name = max(counts, key=lambda one: one[0], default=(0, root, ""))
        if count > 1:
            return [one for one in element.inner if one.name == name]
        level = [one for element in level for one in element.inner]
    return []


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) else {TEXT: value}


def _value(element: _Element) -> Any:
    """The text of an element; with attributes or elements in it an object, of which elements of one name are a list."""
    text = tidy("".join(element.texts))
    if not (element.inner or element.attributes):
        return text
    found: dict[str, list[Any]] = {key: [one] for key, one in element.attributes.items()}
    for one in element.inner:
        found.setdefault(one.name, []).append(_value(one))
    if text:
        found.setdefault(TEXT, []).append(text)
    return {key: of[0] if len(of) == 1 else of for key, of in found.items()}
