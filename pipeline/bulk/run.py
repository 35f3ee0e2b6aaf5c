"""One bulk classification, from what is given to a folder of tables; a second call goes on where it ended."""

import contextlib
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components.catalogue.reading.errors import CatalogueError
from components.storage.location import Location
from pipeline.bulk import output as outputs
from pipeline.bulk.files import Files, files_at
from pipeline.bulk.listing import Input, list_input, shards_of
from pipeline.bulk.output import Output
from pipeline.bulk.stages import BATCH, Job, classify
from pipeline.config import Layout
from pipeline.errors import RunError
from pipeline.scoring import sound_release
from schema.release_folder import ReleaseFolder

_LARGEST_SHARD: Final = 32 * BATCH
_SMALLEST_SHARD: Final = 4 * BATCH
_SHARDS: Final = 64
"""So many at least, where there are pictures enough: workers are kept busy, and little is lost with one."""
_LOOK_S: Final = 5.0
_LINE_S: Final = 30.0


@dataclass(frozen=True)
class Task:
    """What is asked for.

    Attributes:
        layout: the root, with its releases.
        given: folder, zip, glob, ``styles.csv`` or picture, as a path or URI.
        output: where to.
        version: of the release; None for the current one.
        beam_args: which say who runs it.
        product_names: key of a picture (its name, or that without folders, or suffix) → what its product is called, as
            a hint. Those that a ``styles.csv`` has are heard where none is given here.
    """

    layout: Layout
    given: str
    output: Location
    version: int | None = None
    beam_args: Sequence[str] = field(default_factory=list)
    product_names: Mapping[str, str] = field(default_factory=dict)


def run(task: Task, say: Callable[[str], object]) -> dict[str, Any]:
    """Classifies all pictures; gives the summary, which also lies in the output.

    Args:
        task: what is asked for.
        say: is told how far it is, a line at a time.

    Raises:
        RunError: it cannot be done, or not to its end; what is done stays.
        CatalogueError: there are no pictures, or they cannot be listed.
    """
    out = Output(task.output)
    release = sound_release(ReleaseFolder(task.layout.releases), task.version)
    out.require_ours()
    found = list_input(task.given)
    if not found.entries:
        raise CatalogueError(f"{task.given} has no pictures{_why(found)}")
    try:
        found.call(task.product_names)
    except ValueError as error:
        raise CatalogueError(f"{task.given}: {error}") from error
    plan = _plan(task.given, release.version, release.manifest, found, out.suffix)
    if not _is_whole(out, plan):
        out.reopen()
        with outputs.lock(out.working) or contextlib.nullcontext():
            try:
                if not _is_whole(out, plan):  # others may have made it while this one listed its pictures
                    return _fill(task, out, plan, found, say)
            finally:
                out.leave()
    say(f"{out.place} is whole already: nothing is left to do")
    return _summary(out, plan, found, out.place) | {"resumed": plan["pictures"]}


def _is_whole(out: Output, plan: dict[str, Any]) -> bool:
    """Whether nothing is left to do; refuses to go on with the output of something else."""
    _require_same(out, plan)
    return out.is_whole(_shards_of(plan))


def _shards_of(plan: Mapping[str, Any]) -> int:
    return -(-int(plan["pictures"]) // int(plan["pictures_per_shard"]))


def _fill(task: Task, out: Output, plan: dict[str, Any], found: Input, say: Callable[[str], object]) -> dict[str, Any]:
    started, files = time.monotonic(), out.files()
    shards = dict(enumerate(shards_of(found.entries, plan["pictures_per_shard"])))
    before = outputs.done_shards(files)
    todo = shards.keys() - before
    outputs.write_shards(files, {number: shards[number] for number in todo})
    if files.read(outputs.PLAN) is None:
        files.write(outputs.PLAN, _as_bytes(plan))
    job = Job(task.layout.releases, plan["release"], found.place, out.working, out.suffix, len(shards), found.is_zip)
    resumed = sum(len(entries) for number, entries in shards.items() if number in before)
    say(f"release {job.version}: {len(found.entries):,} pictures in {len(shards):,} shards, {resumed:,} done before")
    if todo:
        _run_beam(task, job, todo, _Progress(files, len(shards), len(before), say))
    if missing := shards.keys() - outputs.done_shards(files):
        raise RunError(f"{len(missing)} of {len(shards)} shards were not written; run the same command again")
    took = {"resumed": resumed, "seconds": round(time.monotonic() - started, 1)}
    summary = _summary(out, plan, found, out.working) | took
    files.write(outputs.SUMMARY, _as_bytes(summary))
    out.finish()
    return summary


class _Progress:
    """Says how far the shards are: by their notes, which every runner's workers leave alike."""

    def __init__(self, files: Files, shards: int, before: int, say: Callable[[str], object]) -> None:
        self._files, self._shards, self._before, self._say = files, shards, before, say
        self._started = self._said = time.monotonic()

    def look(self) -> None:
        """A line, if it is time for one."""
        now = time.monotonic()
        if now - self._said < _LINE_S:
            return
        self._said = now
        done = len(outputs.done_shards(self._files))
        fresh = done - self._before
        left = f", {(now - self._started) / fresh * (self._shards - done) / 60:.0f} min left" if fresh > 0 else ""
        self._say(f"  {done:,} of {self._shards:,} shards{left}")


def _run_beam(task: Task, job: Job, numbers: set[int], progress: _Progress) -> None:
    """In a thread that nobody has to wait for: Beam's own would keep an interrupted process until all is done."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with beam.Pipeline(options=PipelineOptions(list(task.beam_args))) as pipeline:
                classify(pipeline, job, numbers)
        except BaseException as error:  # raised again below
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True, name="bulk-beam")
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK_S)
        progress.look()
    if failures:
        raise failures[0]


def _plan(given: str, version: int, manifest: dict[str, Any], found: Input, suffix: str) -> dict[str, Any]:
    count = len(found.entries)
    size = min(_LARGEST_SHARD, max(_SMALLEST_SHARD, -(-count // _SHARDS // BATCH) * BATCH))
    return {
        "input": given,
        "pictures": count,
        "pictures_digest": found.digest,
        "release": version,
        "release_digest": hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest(),
        "format": suffix,
        "pictures_per_shard": size,
    }


def _require_same(out: Output, plan: dict[str, Any]) -> None:
    """Refuses to go on with the output of something else."""
    found = out.plan()
    if not found:
        return
    place, there = found
    if not all(isinstance(there.get(key), type(value)) for key, value in plan.items()):
        raise RunError(
            f"{outputs.PLAN} of {place} is damaged, and nobody can tell what its tables are of; remove {place}, or "
            "give another --output"
        )
    if differing := _difference(there, plan):
        what, way = differing
        raise RunError(f"{place} is of {what}; {way}, or remove it, or give another --output")


def _difference(there: dict[str, Any], plan: dict[str, Any]) -> tuple[str, str] | None:
    """What another output is of, and what would help; None where it is of the same."""
    was, size = there["release"], there["pictures_per_shard"]
    if (was, there["release_digest"]) != (plan["release"], plan["release_digest"]):
        what = f"release {was}, and now it is {plan['release']}" if was != plan["release"] else "another release"
        return what, f"--version {was} goes on with it"
    if there["pictures_digest"] != plan["pictures_digest"]:
        what = f"{there['pictures']:,} pictures of {there['input']}, of which some changed, came or went"
        return f"{what}, or are called otherwise", "put that back"
    if there["format"] != plan["format"]:
        return f"{there['format']} tables", "name it so"
    if size != plan["pictures_per_shard"]:
        return f"tables of {size:,} pictures each, as another version makes them", "go on with that one"
    return None


def _summary(out: Output, plan: dict[str, Any], found: Input, place: Location) -> dict[str, Any]:
    """What the notes in ``place`` count."""
    files, shards = files_at(place), _shards_of(plan)
    counts: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for number in range(shards):
        one = outputs.read_done(files, number)
        codes.update(one.pop("failed_by"))
        counts.update(one)
    return {
        **plan,
        "shards": shards,
        "answered": counts["answered"],
        "failed": counts["failed"],
        "failed_by": dict(codes),
        "skipped": dict(Counter(found.skipped.values())),
        "unreadable_folders": found.unreadable,
        "resumed": 0,
        "seconds": 0.0,
        "output": str(out.place),
    }


def _why(found: Input) -> str:
    reasons = Counter(found.skipped.values())
    words = [f"{count:,} files: {why}" for why, count in reasons.most_common(5)]
    words += [f"{name} cannot be looked into: {why}" for name, why in list(found.unreadable.items())[:5]]
    return f" ({'; '.join(words)})" if words else ""


def _as_bytes(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=True) + "\n").encode("ascii")
