"""What cannot be guessed is asked; where nobody can answer, it is an error that names the candidates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from components.catalogue.reading.errors import CatalogueError

MOST_NAMED: Final = 12


@dataclass(frozen=True)
class Question:
    """Something with more than one sensible answer.

    Attributes:
        what: the thing that is wanted: ``the column of the articleType``.
        option: of the command line that answers it.
        candidates: each with a few words about it.
    """

    what: str
    option: str
    candidates: Sequence[tuple[str, str]]

    def lines(self) -> list[str]:
        """A line for each candidate."""
        return [f"{value}{f'  ({about})' if about else ''}" for value, about in self.candidates]


Ask = Callable[[Question], str]
"""Gives the chosen candidate."""


def nobody(question: Question) -> str:
    """Raises a CatalogueError that tells how to answer."""
    lines = question.lines()
    more = [f"… {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
    shown = "\n".join(f"  {line}" for line in [*lines[:MOST_NAMED], *more])
    raise CatalogueError(
        f"{question.what} cannot be guessed: there are {len(lines)}\n{shown}\nSay which: {question.option} "
        f"{question.candidates[0][0]!r} (or another of them)"
    )
