"""The table of heads: what the models tell of a picture. All that speaks of heads derives from it.

A head is one row here. Models, columns of ``styles.csv``, transformed features, signatures, gates, the merged answer,
the page, reports and CSVs follow from the table, or from the card of a model, which says for each of its heads what the
table said when it was trained.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from schema import names


@dataclass(frozen=True)
class Head:
    """One label that a model gives a picture.

    Attributes:
        name: of the head, in signatures, cards, answers and CSVs.
        column: of ``styles.csv`` that holds its label.
        model: that carries it, by the name that TensorFlow Serving knows.
        level: depth in the taxonomy, 0 at the top; None for an attribute, which stands outside of it.
    """

    name: str
    column: str
    model: str
    level: int | None = None


HEADS: tuple[Head, ...] = (
    Head(names.MASTER_CATEGORY, names.MASTER_CATEGORY_LABEL, names.CATEGORY, level=0),
    Head(names.SUB_CATEGORY, names.SUB_CATEGORY_LABEL, names.CATEGORY, level=1),
    Head(names.ARTICLE_TYPE, names.ARTICLE_TYPE_LABEL, names.ARTICLE_TYPE, level=2),
    Head("gender", names.GENDER, names.CATEGORY),
    Head("base_colour", names.BASE_COLOUR, names.CATEGORY),
    Head("season", names.SEASON, names.CATEGORY),
    Head("usage", names.USAGE, names.CATEGORY),
)
"""Every head. The deepest of the taxonomy is always trained and always in an answer; a level above it where the
catalogue has a column of it, an attribute where a run asks for it.

Read it by the functions below, each time anew, so that a head can be added while a process runs.
"""

MODELS: Final = (names.ARTICLE_TYPE, names.CATEGORY)
"""Names of the models, in the order of their training."""


def taxonomy() -> tuple[Head, ...]:
    """The heads of the taxonomy, from the top down."""
    return tuple(sorted((head for head in HEADS if head.level is not None), key=lambda head: head.level or 0))


def finest() -> Head:
    """The deepest level of the taxonomy, without which there is nothing to learn."""
    return taxonomy()[-1]


def levels_told(columns_told: Collection[str]) -> tuple[str, ...]:
    """Names of the levels that have one of these columns, from the top down."""
    return tuple(head.name for head in taxonomy() if head.column in columns_told)


def attributes() -> tuple[Head, ...]:
    """The heads outside the taxonomy."""
    return tuple(head for head in HEADS if head.level is None)


def columns(of: Iterable[Head] | None = None) -> tuple[str, ...]:
    """Columns of ``styles.csv`` that hold the labels of these heads; by default of the taxonomy, from the top down.

    That of the finest level must be there, in each row; those above may be missing, as a whole. Those of attributes may
    be missing or empty.
    """
    return tuple(head.column for head in (taxonomy() if of is None else of))


def chosen(attribute_names: Iterable[str] = (), levels: Collection[str] | None = None) -> tuple[Head, ...]:
    """The heads of a run: those of the taxonomy from the top down, then the attributes that it asks for.

    Args:
        attribute_names: heads or columns of attributes, in any order, each once.
        levels: names of the levels that the catalogue has; by default all.

    Raises:
        ValueError: there is no attribute of that name.
    """
    wanted = [_attribute(name) for name in dict.fromkeys(attribute_names)]
    there = (head for head in taxonomy() if levels is None or head.name in levels)
    return (*there, *(head for head in attributes() if head in wanted))


def _attribute(name: str) -> Head:
    for head in attributes():
        if name in (head.name, head.column):
            return head
    known = ", ".join(head.column for head in attributes())
    raise ValueError(f"attribute is {name!r}; it must be one of {known}")


def of_model(model: str, heads: Iterable[Head] | None = None) -> tuple[Head, ...]:
    """The heads that ``model`` carries, among ``heads``; by default among those of the taxonomy."""
    return tuple(head for head in (taxonomy() if heads is None else heads) if head.model == model)


def head(name: str) -> Head:
    """The head of that name.

    Raises:
        KeyError: there is none.
    """
    for found in HEADS:
        if found.name == name:
            return found
    raise KeyError(name)
