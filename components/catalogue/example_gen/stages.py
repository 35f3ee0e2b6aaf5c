"""The import as Beam's transforms. Rows travel in chunks; pictures do not, they are read where they are used.

No worker gathers all rows. Signatures of pictures meet in cells of a grid, and names in buckets; what comes of it are
links between pairs of rows. These alone are gathered, for their connected components.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import AsSingleton, TaggedOutput
from apache_beam.utils.shared import Shared

from components.catalogue.example_gen.examples import write_shard
from components.catalogue.example_gen.parcel import Parcel
from components.catalogue.reading.pictures import THUMBNAIL, CheckedRows, check_pictures, load_picture, thumbnails_of
from components.catalogue.reading.rows import stream_rows
from components.catalogue.reading.source import Catalogue, open_catalogue
from components.catalogue.report.check import leftovers
from components.catalogue.splitting.groups import Links, bucket_of_key, kin_of, name_keys, name_links
from components.catalogue.splitting.near import near_links
from components.catalogue.splitting.plan import ROWS_PER_SHARD, chunks_of, lines_within, place, shard_of
from components.catalogue.splitting.signatures import Signatures, by_bucket, sign
from components.catalogue.splitting.splits import SplitBy, ages_of, cuts_of
from components.storage.location import Location
from schema import names

LEFTOVERS: Final = "leftovers"
Chunk = tuple[int, Parcel]
"""The number of a chunk of rows, or of a bucket in which rows of many chunks meet, and something of it."""
ShardKey = tuple[str, int, int]
"""A split, the number of one of its files, and how many it has."""


@dataclass(frozen=True)
class Source:
    """The catalogue, opened once a worker process."""

    path: Location
    handle: Shared

    def open(self) -> Catalogue:
        """The catalogue.

        Raises:
            CatalogueError: it cannot be opened from here.
        """
        return self.handle.acquire(lambda: open_catalogue(self.path))


class _WithCatalogue(beam.DoFn):
    def __init__(self, source: Source) -> None:
        self._source = source

    def setup(self) -> None:
        self._catalogue = self._source.open()


class ReadRows(_WithCatalogue):
    """The chunks of a catalogue's rows; on the output ``LEFTOVERS`` what no row uses."""

    def process(self, limit: int) -> Iterator[Any]:
        """Reads all rows, and yields those within the limit; 0: all."""
        lines = lines_within(stream_rows(self._catalogue), limit) if limit else None
        stream, ids = stream_rows(self._catalogue), set[str]()
        for index, rows in enumerate(chunks_of(stream, lines, ids)):
            yield index, Parcel(rows)
        yield TaggedOutput(LEFTOVERS, leftovers(self._catalogue, stream, ids))


class CheckPictures(_WithCatalogue):
    """Rows → those whose pictures can be used, without the pictures, and the signatures of these."""

    def process(self, chunk: Chunk) -> Iterator[Chunk]:
        """Reads each picture of the chunk."""
        index, rows = chunk
        checked = check_pictures(self._catalogue, rows.content)
        signatures = sign([(index, row.id) for row in checked.taken], checked.thumbnails) if checked.taken else None
        yield index, Parcel((replace(checked, thumbnails=checked.thumbnails[:0]), signatures))


class LinkNear(_WithCatalogue):
    """The signatures of a bucket → links of those that are near."""

    def process(self, bucket: tuple[int, Iterable[Parcel]]) -> Iterator[Parcel]:
        """Reads the pictures again that may be near others."""
        index, parts = bucket
        signatures = Signatures.together([part.content for part in parts])
        links = near_links(signatures, lambda some: self._thumbnails(signatures, some), index)
        if len(links):
            yield Parcel(Links.among(signatures.members, links, by_pixels=True))

    def _thumbnails(self, signatures: Signatures, indices: np.ndarray) -> np.ndarray:
        images = [load_picture(self._catalogue, signatures.members[index][1]).content for index in indices]
        found = [one for one in thumbnails_of(images) if one is not None]
        if len(found) != len(images):
            raise ValueError(f"{len(images) - len(found)} pictures of {self._source.path} changed while it was read")
        return np.stack(found) if found else np.empty((0, *THUMBNAIL, 3), np.uint8)


class WriteShard(_WithCatalogue):
    """The rows of one file → the file."""

    def __init__(self, source: Source, uris: dict[str, str]) -> None:
        super().__init__(source)
        self._uris = uris

    def process(self, shard: tuple[ShardKey, Iterable[Parcel]]) -> None:
        """Reads each picture of the file once more."""
        (split, index, count), parts = shard
        write_shard(self._catalogue, [one for part in parts for one in part.content], self._uris[split], index, count)


def link_rows(checked: beam.PCollection, source: Source) -> beam.PCollection:
    """Checked chunks → (chunk, id → kin) of the rows that are not alone."""
    near = (
        checked
        | "Sign" >> beam.FlatMapTuple(_signatures).with_output_types(Chunk)
        | "MeetInCells" >> beam.GroupByKey()
        | "LinkNear" >> beam.ParDo(LinkNear(source)).with_output_types(Parcel)
    )
    named = (
        checked
        | "Names" >> beam.FlatMapTuple(_names).with_output_types(Chunk)
        | "MeetByName" >> beam.GroupByKey()
        | "LinkNames" >> beam.MapTuple(_name_links).with_output_types(Parcel)
    )
    return (
        (near, named)
        | "Links" >> beam.Flatten()
        | "OfAll" >> beam.Map(lambda links: (0, links)).with_output_types(Chunk)
        | "Gather" >> beam.GroupByKey()
        | "Connect" >> beam.FlatMapTuple(_kin).with_output_types(Chunk)
    )


def place_rows(checked: beam.PCollection, kin: beam.PCollection, split_by: SplitBy) -> beam.PCollection:
    """Checked chunks and kin → the plan of each chunk."""
    rows = checked | "Rows" >> beam.MapTuple(_without_signatures).with_output_types(Chunk)
    return (
        (rows, kin)
        | "RowsAndKin" >> beam.Flatten()
        | "MeetByChunk" >> beam.GroupByKey()
        | "Place" >> beam.Map(_place, split_by, _cuts(checked, split_by)).with_output_types(Parcel)
    )


def write_examples(plans: beam.PCollection, source: Source, uris: dict[str, str]) -> None:
    """Writes the files of each split below its URI, some 2,500 rows in each."""
    counts = plans | "Count" >> beam.Map(_count_splits) | "Counts" >> beam.CombineGlobally(_sum)
    _ = (
        plans
        | "ToShards" >> beam.FlatMap(_to_shards, AsSingleton(counts)).with_output_types(tuple[ShardKey, Parcel])
        | "MeetByShard" >> beam.GroupByKey()
        | "WriteShards" >> beam.ParDo(WriteShard(source, uris))
    )


def _without_signatures(index: int, checked: Parcel) -> Chunk:
    return index, Parcel(checked.content[0])


def _signatures(index: int, checked: Parcel) -> Iterator[Chunk]:
    signatures = checked.content[1]
    if signatures is not None:
        for bucket, some in by_bucket(signatures).items():
            yield bucket, Parcel(some)


def _names(index: int, checked: Parcel) -> Iterator[Chunk]:
    taken = checked.content[0].taken
    buckets = defaultdict(list)
    keys = name_keys([(index, row.id) for row in taken], [row.cells.get(names.PRODUCT_NAME, "") for row in taken])
    for key, member in keys:
        buckets[bucket_of_key(key)].append((key, member))
    for bucket, some in buckets.items():
        yield bucket, Parcel(some)


def _name_links(bucket: int, parts: Iterable[Parcel]) -> Parcel:
    return Parcel(name_links(key for part in parts for key in part.content))


def _kin(key: int, links: Iterable[Parcel]) -> Iterator[Chunk]:
    for chunk, kin in kin_of(one.content for one in links).items():
        yield chunk, Parcel(kin)


def _place(parts: tuple[int, Iterable[Parcel]], split_by: SplitBy, cuts: Parcel | None) -> Parcel:
    contents = [part.content for part in parts[1]]
    kin = next((one for one in contents if isinstance(one, dict)), {})
    [checked] = (one for one in contents if isinstance(one, CheckedRows))
    return Parcel(place(checked, kin, split_by, cuts.content if cuts else None))


def _cuts(checked: beam.PCollection, split_by: SplitBy) -> AsSingleton | None:
    """Where the years are cut: each row's takes 16 bytes, all in one place."""
    if split_by is not SplitBy.YEAR:
        return None
    cuts = (
        checked
        | "Ages" >> beam.MapTuple(lambda _, one: (0, Parcel(ages_of(one.content[0].taken)))).with_output_types(Chunk)
        | "AllAges" >> beam.GroupByKey()
        | "Cuts" >> beam.FlatMapTuple(_cut).with_output_types(Parcel)
    )
    return AsSingleton(cuts, default_value=None)


def _cut(key: int, parts: Iterable[Parcel]) -> Iterator[Parcel]:
    ages = np.concatenate([part.content for part in parts])
    if len(ages):
        yield Parcel(cuts_of(ages))


def _count_splits(plan: Parcel) -> dict[str, int]:
    return dict(Counter(one.split for one in plan.content.placed))


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _to_shards(plan: Parcel, counts: dict[str, int]) -> Iterator[tuple[ShardKey, Parcel]]:
    shards = defaultdict(list)
    for one in plan.content.placed:
        count = -(-counts[one.split] // ROWS_PER_SHARD)
        shards[one.split, shard_of(one.row, count), count].append(one)
    for key, placed in shards.items():
        yield key, Parcel(placed)
