"""Measures a bulk classification beside raw batches through the same SavedModels, in one process.

Command: ``make bench-bulk DATASET=catalogue.zip``; ``build/bench/bulk.json`` has the same. What counts is pictures a
second of CPU, all processes together: seconds on the wall tell as much of what else the machine does. Either loads the
release. The raw batches are read before, and come in two halves, one before and one after the other work. Not a test:
machines differ.
"""

import json
import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from pipeline.bulk.listing import list_input
from pipeline.bulk.run import Task, run
from pipeline.bulk.sources import source_at
from pipeline.bulk.stages import BATCH
from pipeline.config import BEAM_DEFAULTS, DEFAULT_ROOT, Layout
from pipeline.scoring import ReleasedModels

_GOAL: Final = 0.9
_MOST_BYTES: Final = 2**25


def _cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of CPU, and on the wall."""
    cpu, wall = _cpu_s(), time.monotonic()
    work()
    return _cpu_s() - cpu, time.monotonic() - wall


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder or zip of pictures.")
@click.option(
    "--root", type=click.Path(path_type=Path), default=DEFAULT_ROOT, show_default=True, help="With a release."
)
@click.option("--pictures", type=int, default=20_000, show_default=True, help="To classify, at most.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/bench/bulk.json"), show_default=True)
def main(data: Path, root: Path, pictures: int, out: Path) -> None:
    """Measure pictures a second of CPU: raw batches, and bulk classification to Parquet."""
    place = out.parent / "bulk.pictures"
    images = _copied(data, place, pictures)
    layout = Layout(root.resolve())
    half = len(images) // 2 // BATCH * BATCH
    models: list[ReleasedModels] = []

    def load_and_ask() -> None:
        models.append(ReleasedModels(layout.releases))
        _raw(models[0], images[:half])

    first = _timed(load_and_ask)
    task = Task(layout, str(place), (out.parent / "bulk.parquet").resolve(), beam_args=BEAM_DEFAULTS)
    shutil.rmtree(task.output, ignore_errors=True)
    bulk = _timed(lambda: run(task, click.echo))
    second = _timed(lambda: _raw(models[0], images[half:]))
    raw = [one + other for one, other in zip(first, second, strict=True)]
    found = {
        "pictures": len(images),
        "raw_per_cpu_s": len(images) / raw[0],
        "bulk_per_cpu_s": len(images) / bulk[0],
        "ratio": raw[0] / bulk[0],
        "raw_per_s": len(images) / raw[1],
        "bulk_per_s": len(images) / bulk[1],
        "peak_rss_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "cores": os.cpu_count(),
    }
    for name, value in found.items():
        click.echo(f"{name:<16} {value:>10,.2f}")
    click.echo(f"at least {_GOAL} x raw: {'ok' if found['ratio'] >= _GOAL else 'MISSED'}")
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _copied(data: Path, place: Path, count: int) -> list[bytes]:
    """The first pictures, which are then files of a folder."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    found = list_input(str(data))
    source = source_at(found.place, found.is_zip)
    images = []
    for number, entry in enumerate(found.entries[:count]):
        images.append(source.read(entry, _MOST_BYTES))
        (place / f"{number:06}{Path(entry.name).suffix}").write_bytes(images[-1])
    return images


def _raw(models: ReleasedModels, images: list[bytes]) -> None:
    for start in range(0, len(images), BATCH):
        models.scores(images[start : start + BATCH])


if __name__ == "__main__":
    main()
