"""What was promised and what was seen: a row for each, in a table and a JSON file."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOLD_UP_S: Final = 0.05
SLOWER: Final = 10
"""So many times as long may be what must hold on any machine; what the attacks did took seconds."""
POD_BYTES: Final = 2**30
"""What the merger's pod may take: on a busy machine more waits at once, and what the attacks did took yet more."""


@dataclass
class Promise:
    """One row. A test sets ``seen`` to figures; an exception makes ``ok`` false and is what was seen."""

    name: str
    promise: str
    seen: str = ""
    ok: bool = False


class Promises:
    """The rows of one run of pytest.

    Args:
        is_strict: whether times and memory must hold as they are promised; else a slow or busy machine has more.
    """

    def __init__(self, is_strict: bool = False) -> None:
        self.rows: list[Promise] = []
        self._is_strict = is_strict

    @property
    def hold_up_s(self) -> float:
        """How long the event loop may be held up."""
        return HOLD_UP_S if self._is_strict else HOLD_UP_S * SLOWER

    def most_bytes(self, promised: float) -> float:
        """How much memory may be taken where ``promised`` is promised, in bytes."""
        return promised if self._is_strict else POD_BYTES

    @contextlib.contextmanager
    def __call__(self, name: str, promise: str) -> Iterator[Promise]:
        """A promise that holds if the block ends without an exception."""
        row = Promise(name, promise)
        self.rows.append(row)
        try:
            yield row
        except BaseException as error:
            row.seen = f"{row.seen} {type(error).__name__}: {error}".strip().partition("\n")[0][:300]
            raise
        row.ok = True

    def save(self, path: Path) -> None:
        """Writes the rows; those of other runs stay in the file, those of the same name are replaced."""
        names = {row.name for row in self.rows}
        earlier = json.loads(path.read_text()) if path.exists() else []
        rows = [row for row in earlier if row["name"] not in names] + [dataclasses.asdict(row) for row in self.rows]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")

    def table(self) -> list[str]:
        """A line a row."""
        width = max((len(row.name) for row in self.rows), default=0)
        return [f"{'ok    ' if row.ok else 'BROKEN'}  {row.name:<{width}}  {row.seen}" for row in self.rows]
