"""Very many names held small: in one block of bytes, where strings in a dict take some 200 bytes each."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Texts:
    """Strings by their places."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._block, self._ends = bytearray(), array("I", [0])
        for text in texts:
            self._block += text.encode("utf-8", "surrogatepass")  # names of files may be in no encoding
            self._ends.append(len(self._block))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        return map(self.at, range(len(self)))

    def at(self, place: int) -> str:
        """The string at a place, counted from 0."""
        return self._block[self._ends[place] : self._ends[place + 1]].decode("utf-8", "surrogatepass")


class PackedMap(Mapping[str, T], Generic[T]):
    """Names that lead to something; each is looked up among the sorted hashes of all.

    Args:
        names: each once.
        at: gives what the name at a place leads to.
    """

    def __init__(self, names: Sequence[str], at: Callable[[int], T]) -> None:
        self._names, self._at = Texts(names), at
        hashes = array("q", map(hash, names))
        self._places = array("I", sorted(range(len(names)), key=hashes.__getitem__))
        self._hashes = array("q", map(hashes.__getitem__, self._places))

    def __reduce__(self) -> NoReturn:
        """Raises a ``TypeError``: each process hashes strings in its own way, and another one would find nothing."""
        raise TypeError("a PackedMap stays in its process; open there what it lists")

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return self._place(name) is not None

    def __getitem__(self, name: str) -> T:
        place = self._place(name)
        if place is None:
            raise KeyError(name)
        return self._at(place)

    def _place(self, name: object) -> int | None:
        wanted = hash(name)
        index = bisect_left(self._hashes, wanted)
        while index < len(self._hashes) and self._hashes[index] == wanted:
            if self._names.at(self._places[index]) == name:
                return self._places[index]
            index += 1
        return None
