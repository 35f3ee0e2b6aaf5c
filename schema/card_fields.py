"""Values of a model card's document, read one by one, with errors that name the field."""

import json
import sys
from typing import Any, Final, TypeVar

from schema.plain_json import with_each_key_once

_LARGEST: Final = 2**31 - 1
"""Largest whole number; a count of more rows than that, or such a picture, is a mistake."""

MOST: Final = sys.float_info.max

T = TypeVar("T")


class CardError(ValueError):
    """A card that cannot be read: the message names the field, what it is, and what would be right."""


def read_document(text: str) -> Any:
    """What the text of a card says as JSON.

    Raises:
        CardError: it is none.
    """
    try:
        return json.loads(text, object_pairs_hook=with_each_key_once)
    except (ValueError, RecursionError) as error:
        raise CardError(f"the card is no JSON ({error}): {text[:80]!r}") from error


class Field:
    """A value of the document that knows its own name, for the errors."""

    def __init__(self, name: str, value: Any):
        self.name, self.value = name, value

    def __getitem__(self, key: str) -> "Field":
        if key not in self.mapping():
            raise CardError(f"the card has no {self._child(key)}; it must have one")
        return Field(self._child(key), self.value[key])

    def get(self, key: str, default: Any) -> "Field":
        """A field of an object that may be missing."""
        return Field(self._child(key), self.mapping().get(key, default))

    def mapping(self) -> dict[str, Any]:
        """The fields of an object, as they are."""
        return self.expect(dict, "an object")

    def fields(self) -> dict[str, "Field"]:
        """The fields of an object."""
        return {key: self[key] for key in self.mapping()}

    def items(self) -> list["Field"]:
        """The elements of a list."""
        return [Field(f"{self.name}[{i}]", value) for i, value in enumerate(self.expect(list, "a list"))]

    def text(self) -> str:
        """A text."""
        return self.expect(str, "text")

    def whole(self, at_least: int) -> int:
        """A whole number, at least so large."""
        is_whole = isinstance(self.value, int) or (isinstance(self.value, float) and self.value.is_integer())
        if not is_whole or isinstance(self.value, bool) or not at_least <= self.value <= _LARGEST:
            raise self.wrong(f"a whole number of at least {at_least} and at most {_LARGEST}")
        return int(self.value)

    def number(self, low: float, high: float = MOST) -> float:
        """A number of that range."""
        is_number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        if not is_number or not low <= self.value <= high:  # NaN is neither
            below = f" and at most {high:g}" if high < MOST else ""
            raise self.wrong(f"a number of at least {low:g}{below}")
        return float(self.value)

    def positive(self) -> float:
        """A number above 0."""
        if self.number(0) == 0:
            raise self.wrong("a number above 0")
        return self.number(0)

    def expect(self, kind: type[T], words: str) -> T:
        """A value of that type; ``words`` say which."""
        if not isinstance(self.value, kind):
            raise self.wrong(words)
        return self.value

    def wrong(self, words: str) -> CardError:
        """The error that the value is not what ``words`` say."""
        return CardError(f"the card's {self.name or 'document'} is {self.value!r:.80}; it must be {words}")

    def _child(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key
