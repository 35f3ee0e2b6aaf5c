"""The paths that a catalogue has, and what a decision about a part of one means for the whole."""

from collections import Counter
from collections.abc import Iterable, Mapping

from components.catalogue.reading.rows import Row
from schema import heads as table


class PathError(ValueError):
    """No path of the catalogue is what was decided."""


class KnownPaths:
    """The taxonomy of a catalogue, by the columns that it tells.

    Attributes:
        columns: of the levels that the catalogue has, from the top down.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        cells = [row.cells for row in rows]
        self.columns = tuple(column for column in table.columns() if any(column in one for one in cells))
        self._paths = Counter(tuple(one[column] for column in self.columns) for one in cells)
        self._labels = {column: {path[i] for path in self._paths} for i, column in enumerate(self.columns)}

    def as_written(self, column: str, label: str) -> str:
        """The catalogue's own spelling of a label that differs from it in capitals alone."""
        if label in self._labels.get(column, ()):
            return label
        alike = [one for one in self._labels.get(column, ()) if one.casefold() == label.casefold()]
        return alike[0] if len(alike) == 1 else label

    def new_labels(self, decided: Mapping[str, str]) -> dict[str, str]:
        """Those of the levels' labels that no row of the catalogue has, by column."""
        return {column: label for column, label in decided.items() if label not in self._labels.get(column, {label})}

    def complete(self, decided: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
        """The whole path that a decision means: what it leaves open stays as it is as far as the taxonomy lets it.

        Args:
            decided: column → label, of one level at least; all known.
            now: column → label as the row has it; empty for a new one.

        Raises:
            PathError: the catalogue has no such path, or several that fit equally well.
        """
        paths = [dict(zip(self.columns, path, strict=True)) for path in self._paths]
        fits = [path for path in paths if decided.items() <= path.items()]
        if not fits:
            raise PathError(f"no product of the catalogue is known as {' / '.join(decided.values())}")
        kept = [len(path.items() & now.items()) for path in fits]
        best = [path for path, count in zip(fits, kept, strict=True) if count == max(kept)]
        if len(best) > 1:
            some = "; ".join(" / ".join(path.values()) for path in best[:3])
            raise PathError(f"several paths fit, and nothing says which: {some}; decide the levels above as well")
        return best[0]

    def with_new(self, decided: Mapping[str, str]) -> dict[str, str]:
        """The path of a label that the catalogue does not have: all levels have to be said.

        Raises:
            PathError: one is not.
        """
        missing = [column for column in self.columns if not decided.get(column)]
        if missing:
            raise PathError(f"a new label needs its whole path; nobody said {', '.join(missing)}")
        return {column: decided[column] for column in self.columns}
