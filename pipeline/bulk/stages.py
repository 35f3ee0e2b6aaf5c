"""The classification as Beam's transforms. What travels are numbers of shards, and the rows of one.

A worker reads, classifies and writes a shard at a time, without waiting for others. So those that are done stay,
whenever and however the work ends.
"""

import atexit
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler, RunInference

from components.catalogue.example_gen.parcel import Parcel
from components.storage.location import Location
from pipeline.bulk.files import files_at
from pipeline.bulk.output import read_shard, write_done
from pipeline.bulk.sources import Entry, source_at
from pipeline.bulk.tables import FORMATS
from serving.client.outputs import row_values
from serving.merger.settings import Settings

BATCH: Final = 32
"""Pictures in one call of a model."""
COUNTERS: Final = "lookbook"
"""Namespace of Beam's counters: ``pictures``, ``answered``, ``failed``, and ``failed_<code>``."""


@dataclass(frozen=True)
class Job:
    """What every worker must know.

    Attributes:
        releases: folder of releases, under this path everywhere.
        version: of the release.
        place: of the pictures.
        working: folder that is filled.
        suffix: of the format.
        shards: how many there are.
        is_zip: whether the place is a zip.
    """

    releases: Path
    version: int
    place: Location
    working: Location
    suffix: str
    shards: int
    is_zip: bool = False


class _Worker:
    """The models and the gate of one process."""

    def __init__(self, job: Job) -> None:
        from pipeline.bulk.models import attributes_of
        from pipeline.bulk.preparing import Preparer
        from pipeline.scoring import ReleasedModels

        self._models = ReleasedModels(job.releases, job.version)
        self.attributes = attributes_of(self._models)
        self._preparer = Preparer(source_at(job.place, job.is_zip), self._models.release.sizes, Settings())
        self._files = files_at(job.working)
        self._turn = Lock()
        # Beam keeps it to the end of the process, where TensorFlow's modules go before its functions, each with a
        # traceback.
        atexit.register(self.__dict__.clear)

    def shard(self, number: int) -> list[dict[str, Any]]:
        """The rows of a shard. One at a time: the models take all cores by themselves."""
        with self._turn:
            return list(self._rows(read_shard(self._files, number)))

    def _rows(self, entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
        from pipeline.bulk.models import results_of

        batches = [entries[start : start + BATCH] for start in range(0, len(entries), BATCH)]
        begun: list[Future[Any]] = [self._preparer.begin(batches[0])] if batches else []
        for batch, following in zip(batches, [*batches[1:], []], strict=True):
            prepared = begun.pop().result()
            begun.append(self._preparer.begin(following))  # while the models work
            for result in results_of(self._models, batch, prepared):
                yield row_values(result.id, result)


class ClassifyShards(ModelHandler[int, Parcel, _Worker]):
    """Numbers of shards → parcels of number, columns of attributes, and rows."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def load_model(self) -> _Worker:
        """Loads the release, once a process."""
        return _Worker(self._job)

    def run_inference(
        self, batch: Sequence[int], model: _Worker, inference_args: dict[str, Any] | None = None
    ) -> Iterable[Parcel]:
        """Classifies the pictures of each shard."""
        for number in batch:
            yield Parcel((number, model.attributes, model.shard(number)))

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """A shard at a time: within it, pictures are batched for the models."""
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_num_bytes(self, batch: Sequence[int]) -> int:
        """Beam's default would encode what it is to measure."""
        return 8 * len(batch)

    def get_metrics_namespace(self) -> str:
        """Beside our own counters."""
        return COUNTERS


class WriteShards(beam.DoFn):
    """Parcels of rows → files, and a note for each."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, parcel: Parcel) -> None:
        """Writes one shard: the same file, however often it is tried."""
        number, attributes, rows = parcel.content
        content = FORMATS[self._job.suffix](rows, attributes)
        files = files_at(self._job.working)
        files.write(shard_name(number, self._job.shards, self._job.suffix), content)
        counts = counts_of(rows)
        write_done(files, number, counts)
        for name, count in {**counts, **{f"failed_{code}": n for code, n in counts["failed_by"].items()}}.items():
            if name != "failed_by" and count:
                Metrics.counter(COUNTERS, name).inc(count)


def counts_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``pictures``, ``answered``, ``failed``, and ``failed_by`` the codes of their errors."""
    codes = Counter(row["error"] for row in rows if row.get("error"))
    failed = sum(codes.values())
    return {"pictures": len(rows), "answered": len(rows) - failed, "failed": failed, "failed_by": dict(codes)}


def shard_name(number: int, of: int, suffix: str) -> str:
    """Of the file of a shard."""
    return f"{number:05}-of-{of:05}{suffix}"


def classify(pipeline: beam.Pipeline, job: Job, numbers: Iterable[int]) -> None:
    """Adds the whole work to a pipeline."""
    _ = (
        pipeline
        | "Shards" >> beam.Create(sorted(numbers), reshuffle=False)
        | "Spread" >> beam.Reshuffle()
        | "Classify" >> RunInference(ClassifyShards(job)).with_output_types(Parcel)
        | "Write" >> beam.ParDo(WriteShards(job))
    )
