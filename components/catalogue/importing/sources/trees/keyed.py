"""An object that holds objects by their keys, of a picture each."""

from collections.abc import Collection
from typing import Any

from schema.file_names import PICTURE_SUFFIXES


def keyed(document: Any, stems: Collection[str] = ()) -> Any:
    """The objects that an object holds by their keys, each with its ``key``; None where it holds none of pictures.

    They may lie one object deeper, if they do so in one place alone.

    Args:
        document: of JSON.
        stems: names of the pictures, in small letters.
    """
    if not isinstance(document, dict):
        return None
    found = [one for one in (document, *document.values()) if _are_alike(one) or are_of_pictures(one, stems)]
    return [{"key": key, **value} for key, value in found[0].items()] if len(found) == 1 else None


def are_of_pictures(document: Any, stems: Collection[str]) -> bool:
    """Whether an object holds objects alone, most of them by the name of a picture and with most of all keys."""
    values = list(document.values()) if isinstance(document, dict) and stems else []
    if len(values) < 2 or not all(isinstance(one, dict) for one in values):
        return False
    keys = set().union(*values)
    of_pictures = sum(key.casefold() in stems for key in document)
    return (
        2 * of_pictures > len(values)
        and 2 * sum(map(len, values)) > len(keys) * len(values)
        and not all(map(str.isdigit, keys))
    )


def _are_alike(document: Any) -> bool:
    """Whether an object holds objects alone, of a picture each, which have most of their own keys in common.

    Numbers are keys of rows, below those of columns.
    """
    values = list(document.values()) if isinstance(document, dict) else []
    if len(values) < 2 or not all(isinstance(one, dict) for one in values):
        return False
    keys = set.union(*map(set, values))
    of_pictures = sum(any(names_picture(text) for text in (key, *one.values())) for key, one in document.items())
    return (
        2 * of_pictures > len(values)
        and 2 * len(set.intersection(*map(set, values))) > len(keys)
        and not all(map(str.isdigit, keys))
    )


def names_picture(text: Any) -> bool:
    """Whether a text names a picture anywhere in it."""
    return isinstance(text, str) and any(suffix in text.lower() for suffix in PICTURE_SUFFIXES)
