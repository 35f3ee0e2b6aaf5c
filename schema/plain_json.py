"""JSON that people may have written by hand, read for what it says."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn


def parsed(text: str | bytes) -> Any:
    """The document of a text, in which each key of an object has one value, and each number is one.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deep.
    """
    return json.loads(text, object_pairs_hook=with_each_key_once, parse_constant=_no_number)


def with_each_key_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object; which of two values of one key is meant, nobody can tell.

    Raises:
        ValueError: a key has two values that differ.
    """
    found = dict(pairs)
    for key, value in pairs if len(found) < len(pairs) else ():
        if value != found[key]:
            raise ValueError(
                f"the key {key!r:.60} has two values, {value!r:.60} and {found[key]!r:.60}; leave the right one"
            )
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
