"""What was read otherwise than it stands in the sheet: how often, and a few examples of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

EXAMPLES: Final = 5


@dataclass(frozen=True)
class Change:
    """One kind of change: what it is, how often it was made, and the first cases of it."""

    what: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        more = f"; … {self.count - len(self.examples):,} more" if self.count > len(self.examples) else ""
        return f"{self.what}: {self.count:,} ({'; '.join(self.examples)}{more})"

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Change":
        """The change that ``dataclasses.asdict`` gave, through JSON and back."""
        return cls(document["what"], document["count"], tuple(document["examples"]))


@dataclass
class Changes:
    """Counts changes by their kind."""

    _counts: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, example: str) -> None:
        """Counts one change; its example is kept if it is one of the first."""
        self._counts[what] = self._counts.get(what, 0) + 1
        examples = self._examples.setdefault(what, [])
        if len(examples) < EXAMPLES:
            examples.append(example)

    def all(self) -> tuple[Change, ...]:
        """Every kind, the commonest first."""
        kinds = sorted(self._counts, key=lambda what: (-self._counts[what], what))
        return tuple(Change(what, self._counts[what], tuple(self._examples[what])) for what in kinds)

    def add(self, other: "Changes") -> None:
        """Counts what another has counted as well."""
        for change in other.all():
            self._counts[change.what] = self._counts.get(change.what, 0) + change.count
            examples = self._examples.setdefault(change.what, [])
            examples += change.examples[: EXAMPLES - len(examples)]
