"""Groups of rows that show the same product: the same name, or (nearly) the same pixels.

They are the connected components of links between pairs of rows. Rows that no link names are groups of their own, and
nobody gathers them.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from components.catalogue.splitting.near import connected
from components.catalogue.splitting.signatures import BUCKETS, Member
from components.catalogue.splitting.splits import stable_hash


@dataclass(frozen=True)
class Links:
    """Rows that belong together, in pairs.

    Attributes:
        members: the rows.
        pairs: int[L, 2], indices of ``members``.
        by_pixels: whether pixels link them, and not a name.
    """

    members: list[Member]
    pairs: np.ndarray
    by_pixels: bool

    @classmethod
    def among(cls, members: Sequence[Member], pairs: np.ndarray, by_pixels: bool) -> "Links":
        """Links between some of ``members``; the others are left out."""
        used, positions = np.unique(pairs, return_inverse=True)
        return cls([members[index] for index in used], positions.reshape(-1, 2), by_pixels)


@dataclass(frozen=True)
class Kin:
    """What a row belongs to.

    Attributes:
        group: the smallest id among the rows of its group.
        size: how many rows the group has.
        alike: the smallest id among the rows that (nearly) equal pixels connect with it; "" where there are none.
    """

    group: str
    size: int = 1
    alike: str = ""


def kin_of(links: Iterable[Links]) -> dict[int, dict[str, Kin]]:
    """Chunk → id → kin, of the rows that links name. It depends on which links there are, not on their order."""
    indices: dict[str, int] = {}
    chunks: list[int] = []
    ends: dict[bool, list[np.ndarray]] = {True: [np.empty((0, 2), int)], False: [np.empty((0, 2), int)]}
    for some in links:
        for chunk, row_id in some.members:
            if indices.setdefault(row_id, len(chunks)) == len(chunks):
                chunks.append(chunk)
        places = np.array([indices[row_id] for _, row_id in some.members], int)
        ends[some.by_pixels].append(places[some.pairs])
    ids = list(indices)
    by_pixels = np.concatenate(ends[True])
    alike = _smallest(ids, by_pixels)
    found: dict[int, dict[str, Kin]] = {}
    for members in connected(len(ids), np.concatenate([by_pixels, *ends[False]])):
        group = min(ids[index] for index in members)
        for index in members:
            found.setdefault(chunks[index], {})[ids[index]] = Kin(group, len(members), alike[index])
    return found


def _smallest(ids: Sequence[str], links: np.ndarray) -> list[str]:
    """Of each id the smallest of those that links connect with it; "" for one that has none."""
    smallest = [""] * len(ids)
    for members in connected(len(ids), links):
        if len(members) > 1:
            first = min(ids[index] for index in members)
            for index in members:
                smallest[index] = first
    return smallest


def name_keys(members: Sequence[Member], product_names: Sequence[str]) -> list[tuple[bytes, Member]]:
    """A short key of each row's name, the same for names that people would call one; none for an empty name."""
    normal = map(normalised_name, product_names)
    return [
        (hashlib.blake2b(name.encode(), digest_size=16).digest(), member)
        for member, name in zip(members, normal, strict=True)
        if name
    ]


def bucket_of_key(key: bytes) -> int:
    """The bucket 0 … BUCKETS - 1 in which equal keys meet."""
    return key[0] % BUCKETS


def bucket_of_group(group: str) -> int:
    """The bucket 0 … BUCKETS - 1 in which the rows of a group meet."""
    return stable_hash(group) % BUCKETS


def name_links(keys: Iterable[tuple[bytes, Member]]) -> Links:
    """What equal keys link: each row with the first of its name."""
    members: list[Member] = []
    first_of: dict[bytes, int] = {}
    pairs = []
    for index, (key, member) in enumerate(keys):
        members.append(member)
        if (first := first_of.setdefault(key, index)) != index:
            pairs.append((index, first))
    return Links.among(members, np.array(pairs, int).reshape(-1, 2), by_pixels=False)


def normalised_name(name: str) -> str:
    """The name as people would compare it: Unicode compatible forms, case and spacing do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
