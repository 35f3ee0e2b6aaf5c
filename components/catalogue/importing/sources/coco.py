"""COCO's annotations as a table: a row a picture, with the one category of what it shows."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from components.catalogue.importing.sources.documents import text_of
from components.catalogue.importing.sources.table import Listed, Record, Table
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason

COLUMNS: Final = ("image_id", "file_name", "coco_url", "category", "supercategory")
_PARTS: Final = ("images", "annotations", "categories")


def is_coco(document: Any) -> bool:
    """Whether a JSON document has COCO's three lists."""
    return isinstance(document, dict) and all(isinstance(document.get(part), list) for part in _PARTS)


def coco_table(name: str, document: dict[str, Any]) -> Table:
    """The pictures of a document.

    One with annotations of several categories shows several things, and cannot be learnt as one of them.

    Raises:
        CatalogueError: a list holds something else than COCO's objects.
    """
    try:
        notes = Changes()
        return Listed(name, COLUMNS, list(_records(name, document, notes)), notes)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CatalogueError(f"{name} is not as COCO has it: {type(error).__name__}: {error}") from error


def _records(name: str, document: dict[str, Any], notes: Changes) -> Iterator[Record]:
    categories = _categories(name, document)
    shown = _shown(document, notes)
    seen: set[str] = set()
    for line, image in enumerate(document["images"], 1):
        cells = {column: text_of(image.get(column)) for column in ("file_name", "coco_url")}
        cells["image_id"] = image_id = text_of(image["id"])
        found = [categories.get(one) for one in shown[image_id]]
        fault = _fault(list(shown[image_id]), categories)
        if not fault and image_id in seen:
            fault = f"id {image_id} is another image's too"
        seen.add(image_id)
        if len(found) == 1 and found[0] and not fault:
            cells["category"] = text_of(found[0]["name"])
            cells["supercategory"] = text_of(found[0].get("supercategory"))
        reason = Reason.SEVERAL_LABELS if len(found) > 1 else Reason.UNREADABLE_ROW
        yield Record(f"{name}, image {cells['file_name']}", line, cells, error=fault, reason=reason)


def _categories(name: str, document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Id, as a text for tools write both ``1`` and ``"1"``, → category."""
    categories: dict[str, dict[str, Any]] = {}
    for one in document["categories"]:
        before = categories.setdefault(text_of(one["id"]), one)
        if before["name"] != one["name"]:
            raise CatalogueError(
                f"{name} has two categories of the id {one['id']!r}, {before['name']!r} and {one['name']!r}; leave the "
                "right one"
            )
    return categories


def _shown(document: dict[str, Any], notes: Changes) -> dict[str, dict[str, None]]:
    """Image → the categories of its annotations."""
    shown: dict[str, dict[str, None]] = defaultdict(dict)
    for annotation in document["annotations"]:
        shown[text_of(annotation["image_id"])][text_of(annotation["category_id"])] = None
    listed = {text_of(image["id"]) for image in document["images"]}
    for image in (image for image in shown if image not in listed):
        notes.note("annotations of an image that is not listed, not read", f"image {image}")
    return shown


def _fault(found: list[str], categories: dict[str, dict[str, Any]]) -> str:
    unknown = [one for one in found if one not in categories]
    if unknown:
        return f"shows the category {', '.join(unknown)}, which the document does not list"
    if len(found) > 1:
        return f"shows several categories: {', '.join(text_of(categories[one]['name']) for one in found)}"
    return ""
