"""Measures how the import grows with the catalogue: a table, and ``build/bench/scale.json``.

Command: ``make bench-scale``, or ``SIZES=40000,80000 make bench-scale``; with ``PRISM=path`` (Beam's portable runner,
built by Go) also there, in a worker process of its own. A row is one import of a drawn catalogue, in a zip: variants of
some hundred drawn pictures, of which one in fifty is nearly another one, and one in three has the name of another.

Goals: CPU grows at most 1.1 times as fast as the rows, from one size to the next; the largest process needs at most
1 GB.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from PIL import Image

HOME: Final = Path("build/bench/scale")
KINDS: Final = 300
MOST_GROWTH: Final = 1.1
MOST_RSS_MB: Final = 1000
_COLUMNS: Final = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"


def draw(path: Path, count: int) -> None:
    """Writes a catalogue of ``count`` rows as a zip; the same each time."""
    from components.catalogue.sample import draw_catalogue

    kinds = path.with_suffix(".kinds")
    draw_catalogue(kinds, KINDS)
    lines = (kinds / "styles.csv").read_text(encoding="utf-8").splitlines()
    header, labels = lines[0].split(","), [line.split(",") for line in lines[1:]]
    at = header.index("id")
    drawn = [np.asarray(Image.open(kinds / "images" / f"{row[at]}.jpg").convert("RGB")) for row in labels]
    cells = [dict(zip(header, row, strict=False)) for row in labels]
    rng = np.random.default_rng(count)
    half = path.with_suffix(".part")
    with zipfile.ZipFile(half, "w") as archive:
        rows = [_COLUMNS]
        for number in range(count):
            kind = number % len(drawn)
            if number % 50 or not number:
                pixels = _variant(drawn[kind], rng)
            archive.writestr(f"images/{number}.jpg", _encoded(pixels, 90 + number % 5))
            name = f"Product {number - number % 3 if number % 9 < 3 else number}"
            known = cells[kind] | {"id": str(number), "productDisplayName": name}
            rows.append(",".join(known.get(column, "") for column in _COLUMNS.split(",")))
        archive.writestr("styles.csv", "\n".join(rows))
    half.rename(path)
    shutil.rmtree(kinds)


def _variant(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture in other colours, moved, on white."""
    moved = np.roll(pixels, rng.integers(-12, 13, 2), axis=(0, 1))
    colours = rng.uniform(0.5, 1.0, 3)
    return (255 - (255 - moved) * colours).astype(np.uint8)


def _encoded(pixels: np.ndarray, quality: int) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(pixels).resize((60, 80)).save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def import_once(data: Path, root: Path, beam_args: tuple[str, ...]) -> dict[str, Any]:
    """One import in this process; its seconds, CPU and memory, with those of its children that ended."""
    from tfx.orchestration import metadata
    from tfx.orchestration.pipeline import Pipeline

    from components.catalogue.example_gen.component import StylesExampleGen
    from pipeline.config import BEAM_DEFAULTS, Layout
    from pipeline.running.dag_runner import ReportingDagRunner

    layout = Layout(root)
    component = StylesExampleGen(str(data), max_bad=0.0)
    connection = metadata.sqlite_metadata_connection_config(str(layout.metadata))
    start, cpu = time.monotonic(), time.process_time()
    before = _peak_mb()
    ReportingDagRunner(lambda line: None, [*BEAM_DEFAULTS, *beam_args]).run(
        Pipeline("scale", str(layout.artifacts), connection, [component], enable_cache=False)
    )
    return {
        "seconds": time.monotonic() - start,
        "cpu": time.process_time() - cpu,
        "before_mb": before,
        "peak_mb": _peak_mb(),
        **_counts(layout),
    }


def _counts(layout: Any) -> dict[str, int]:
    [file] = layout.artifacts.glob("StylesExampleGen/report/*/report.json")
    report = json.loads(file.read_text(encoding="utf-8"))
    return {"taken": report["taken"], "groups": report["groups"], "near": report["counts"]["near_duplicates"]}


def _peak_mb(pid: str | int = "self") -> float:
    """Of the process alone: what getrusage tells, a child inherits from whoever started it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0) / 1024


@contextlib.contextmanager
def prism(binary: str) -> Iterator[tuple[tuple[str, ...], subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """Prism and a pool that starts a worker process for it; the arguments for Beam, and both processes."""
    job, pool = _free_port(), _free_port()
    log = (HOME / "prism.log").open("wb")
    runner = subprocess.Popen(
        [binary, f"-job_port={job}", "-serve_http=false", "-idle_shutdown_timeout=-1s"], stdout=log, stderr=log
    )
    workers = subprocess.Popen(
        [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={pool}"],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=log,
        stderr=log,
    )
    try:
        for port in (job, pool):
            _await(port)
        yield (
            (
                "--runner=PortableRunner",
                f"--job_endpoint=localhost:{job}",
                "--job_server_timeout=86400",
                "--environment_type=EXTERNAL",
                f"--environment_config=localhost:{pool}",
            ),
            runner,
            workers,
        )
    finally:
        for process in (workers, runner):
            process.send_signal(signal.SIGTERM)
        for process in (workers, runner):
            process.wait(60)
        log.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _await(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port} after a minute; see {HOME}/prism.log")


class _Watch:
    """CPU and peak memory of a process and its children, read from /proc while they live."""

    def __init__(self, pid: int) -> None:
        self._pid, self.cpu, self.peak_mb = pid, 0.0, 0.0
        self._seen: dict[int, tuple[float, float]] = {}

    def look(self) -> None:
        for pid in [self._pid, *_children(self._pid)]:
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
                # One that has ended, and that nobody has waited for, has no memory any more.
                self._seen[pid] = ticks, max(_peak_mb(pid), self._seen.get(pid, (0.0, 0.0))[1])
        self.cpu = sum(cpu for cpu, _ in self._seen.values())
        self.peak_mb = max((peak for _, peak in self._seen.values()), default=0.0)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(task.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(task.parent.name))
    return found + [one for child in found for one in _children(child)]


def _in_child(data: Path, beam_args: tuple[str, ...], watches: dict[str, _Watch]) -> dict[str, Any]:
    """One import in a process of its own, with what the watched ones needed for it."""
    shutil.rmtree(HOME / "root", ignore_errors=True)
    command = [sys.executable, "-m", "tests.load.scale_bench", "--one", str(data)]
    before = {name: (watch.look(), watch.cpu)[1] for name, watch in watches.items()}
    with subprocess.Popen([*command, *beam_args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout
        while child.poll() is None:
            for watch in watches.values():
                watch.look()
            time.sleep(0.25)
        lines = child.stdout.read().decode().splitlines()
    if child.returncode:
        raise RuntimeError(f"the import of {data} failed; run it by hand: {' '.join([*command, *beam_args])}")
    found = json.loads(lines[-1])
    found |= {f"{name}_cpu": watch.cpu - before[name] for name, watch in watches.items()}
    return found | {f"{name}_mb": watch.peak_mb for name, watch in watches.items()}


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--sizes", default="40000,80000,160000,320000", show_default=True, help="Rows of each catalogue.")
@click.option("--prism", "binary", default="", help="Path of Prism; empty: the local runner alone.")
@click.option("--one", type=click.Path(path_type=Path), help="Import this catalogue once, and print what it needed.")
@click.argument("beam_args", nargs=-1)
def main(sizes: str, binary: str, one: Path | None, beam_args: tuple[str, ...]) -> None:
    """Measure imports of growing catalogues."""
    if one:
        click.echo(json.dumps(import_once(one, HOME / "root", beam_args)))
        return
    HOME.mkdir(parents=True, exist_ok=True)
    rows = []
    for count in map(int, sizes.split(",")):
        data = HOME / f"{count}.zip"
        if not data.exists():
            draw(data, count)
        rows.append({"engine": "local", "rows": count, **_in_child(data, (), {})})
        _say(rows)
        if binary:
            with prism(binary) as (arguments, runner, workers):
                watches = {"prism": _Watch(runner.pid), "worker": _Watch(workers.pid)}
                rows.append({"engine": "prism", "rows": count, **_in_child(data, arguments, watches)})
            _say(rows)
    Path("build/bench/scale.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(HOME)


def _say(rows: list[dict[str, Any]]) -> None:
    row = rows[-1]
    cpu = _cpu(row)
    before = next((one for one in rows[-2::-1] if one["engine"] == row["engine"]), None)
    growth = f"{cpu / _cpu(before) / (row['rows'] / before['rows']):.2f} × linear" if before else ""
    largest = max(row["peak_mb"], row.get("worker_mb", 0.0))
    click.echo(
        f"{row['engine']:<6} {row['rows']:>8,} rows  {row['seconds']:>7.1f} s  {cpu:>7.1f} s of CPU {growth:<14} "
        f"largest process {largest:,.0f} MB (started with {row['before_mb']:,.0f})  "
        + (f"Prism {row['prism_mb']:,.0f} MB  " if "prism_mb" in row else "")
        + f"{row['groups']:,} groups, {row['near']:,} near sets"
    )


def _cpu(row: dict[str, Any]) -> float:
    return float(row["cpu"] + row.get("worker_cpu", 0.0) + row.get("prism_cpu", 0.0))


if __name__ == "__main__":
    main()
