"""CSV files are opened in spreadsheets, which run a cell that begins like a formula, whoever wrote it."""

from typing import Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def inert(text: str) -> str:
    """The text of a cell that no spreadsheet takes for a formula: with an apostrophe in front where it is needed."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def plain(text: str) -> str:
    """The text that :func:`inert` made inert."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
