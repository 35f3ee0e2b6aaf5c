"""Objects and lists in a text, as JSON and Python write them."""

import ast
import json
import re
import warnings
from typing import Any, Final

from schema.plain_json import with_each_key_once

_LONGEST: Final = 1 << 18  # characters; Python's parser takes a hundred times as many bytes
_QUOTED: Final = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_VALUE: Final = rf"(?:[uU]?(?:{_QUOTED})|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|True|False|None)"
_PYTHON: Final = re.compile(rf"[\s\[\]{{}},:]*(?:{_VALUE}\s*(?:[\[\]{{}},:][\s\[\]{{}},:]*|\Z))*")
"""Texts, numbers and the three names of Python, with signs between them: nothing that would be reckoned or called."""


def of_json(text: str) -> Any:
    """What a text of JSON means.

    Raises:
        ValueError, RecursionError: it is none, or a key has two values.
    """
    return json.loads(text, object_pairs_hook=with_each_key_once)


def of_python(text: str) -> Any:
    """What an object or a list means that Python has written, as ``{'a': None}``.

    Raises:
        ValueError, RecursionError: it is none, a long one, or a key has two values.
    """
    plain = text.strip()
    if len(plain) > _LONGEST or plain[:1] not in ("{", "[") or not _PYTHON.fullmatch(plain):
        raise ValueError("neither an object nor a list of Python")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a backslash that means nothing, which stays one
        try:
            tree = ast.parse(plain, mode="eval")
            _require_plain(tree)
            return ast.literal_eval(tree)
        except (SyntaxError, TypeError, MemoryError) as error:
            raise ValueError(str(error)) from error


def _require_plain(tree: ast.Expression) -> None:
    """No set, which JSON has not; and which of two values of one key is meant, nobody can tell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Set):
            raise ValueError("a set, which JSON has not")
        if isinstance(node, ast.Dict):
            keys = [ast.literal_eval(key) for key in node.keys if key]
            if len(set(keys)) < len(keys):
                raise ValueError(f"a key of {keys!r:.60} has two values; leave the right one")


def opened(text: str) -> Any:
    """The object or list that a cell holds; None where it holds none."""
    plain = text.strip()
    if plain[:1] + plain[-1:] not in ("{}", "[]"):
        return None
    try:
        return of_json(plain)
    except (ValueError, RecursionError):
        return of_python_or_none(plain)


def of_python_or_none(text: str) -> Any:
    """The same of Python; None where it is none."""
    try:
        return of_python(text)
    except (ValueError, RecursionError):
        return None


def texts_of(value: Any) -> list[str]:
    """The texts of a list, or of lists in a list; none where it holds anything else."""
    if not isinstance(value, list):
        return []
    members = [one if isinstance(one, list) else [one] for one in value]
    texts = [text for member in members for text in member]
    return texts if all(members) and all(isinstance(text, str) for text in texts) else []
