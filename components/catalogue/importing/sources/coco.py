"""COCO's annotations as a table: a row a picture, with the one category of what it shows."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from components.catalogue.importing.sources.table import Listed, Record, Table
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
        return Listed(name, COLUMNS, list(_records(name, document)))
    except (KeyError, TypeError, AttributeError) as error:
        raise CatalogueError(f"{name} is not as COCO has it: {type(error).__name__}: {error}") from error


def _records(name: str, document: dict[str, Any]) -> Iterator[Record]:
    categories = {one["id"]: one for one in document["categories"]}
    shown: dict[Any, dict[Any, None]] = defaultdict(dict)
    for annotation in document["annotations"]:
        shown[annotation["image_id"]][annotation["category_id"]] = None
    for line, image in enumerate(document["images"], 1):
        cells = {column: str(image.get(column) or "") for column in ("file_name", "coco_url")}
        cells["image_id"] = str(image["id"])
        found, fault = list(shown[image["id"]]), ""
        if len(found) == 1:
            category = categories[found[0]]
            cells["category"] = str(category["name"])
            cells["supercategory"] = str(category.get("supercategory") or "")
        elif found:
            fault = f"shows several categories: {', '.join(str(categories[one]['name']) for one in found)}"
        yield Record(f"{name}, image {cells['file_name']}", line, cells, error=fault, reason=Reason.SEVERAL_LABELS)
