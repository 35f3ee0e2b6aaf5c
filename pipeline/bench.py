"""Measures the pipeline around training: a table, and ``build/bench/pipeline.json`` (name, value, unit, goal, ok).

Command: ``make bench-pipeline DATASET=catalogue.zip``. On the Kaggle set (40,000 rows) and 2 cores it takes about 8
minutes, most of it one epoch of training a model; expect every row to say ok. Not a test: machines differ.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from pipeline.config import Layout

_SETTINGS = (
    *("backbone=small_cnn", "frozen_to=", "neighbours=0", "neighbour_layers=", "height=80", "width=60"),
    *("augmentation.flip=true", "epochs=1", "batch_size=64"),
)
_TRAINING = ("Trainer", "Evaluator")


@dataclass(frozen=True)
class Row:
    """One measured value and what it should be at most."""

    name: str
    value: float
    unit: str
    goal: float
    ok: bool


def _row(name: str, value: float, unit: str, goal: float) -> Row:
    return Row(name, round(value, 2), unit, round(goal, 2), value <= goal)


def _timed(*command: str) -> float:
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def _steps(layout: Layout) -> list[dict[str, Any]]:
    newest = max(layout.logs.glob("run-*.json"), key=lambda path: path.stat().st_mtime_ns)
    return json.loads(newest.read_text(encoding="utf-8"))["steps"]


def _run(layout: Layout, data: Path) -> float:
    # The small network, in one epoch: what is measured is all else.
    settings = ("--profile", "quick", *(word for setting in _SETTINGS for word in ("--set", setting)))
    arguments = ("run", "--data", str(data), "--root", str(layout.root), *settings)
    command = (sys.executable, "-m", "pipeline.runner", *arguments)
    start = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - start


@click.command()
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder or zip of a catalogue."
)
@click.option("--root", type=click.Path(path_type=Path), default=Path("build/bench/root"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/bench/pipeline.json"), show_default=True)
def main(data: Path, root: Path, out: Path) -> None:
    """Measure a fresh run, its memory, and a re-run that the cache answers."""
    layout = Layout(root.resolve())
    shutil.rmtree(layout.root, ignore_errors=True)
    bare_import = _timed(sys.executable, "-c", "import pipeline.running.run")
    _run(layout, data)
    steps = _steps(layout)
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    cached = _run(layout, data)
    around = sum(step["seconds"] for step in steps if not step["component"].endswith(_TRAINING))
    rows = [
        _row("everything but training and evaluation", around, "s", 120.0),
        _row("peak memory of the whole run (RSS)", peak_gb, "GiB", 2.5),
        _row("re-run without a change", cached, "s", 1.5 * bare_import),
        *(_row(step["component"], step["seconds"], "s", float("inf")) for step in steps),
    ]
    _report(rows, out)


def _report(rows: list[Row], out: Path) -> None:
    for row in rows:
        goal = "" if row.goal == float("inf") else f"at most {row.goal:g} {row.unit}: {'ok' if row.ok else 'MISSED'}"
        click.echo(f"{row.name:<42} {row.value:>8.2f} {row.unit:<4} {goal}")
    out.parent.mkdir(parents=True, exist_ok=True)
    # JSON has no infinity.
    plain = [asdict(row) | {"goal": None if row.goal == float("inf") else row.goal} for row in rows]
    out.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
