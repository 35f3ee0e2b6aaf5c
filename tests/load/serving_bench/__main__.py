"""The command line: see the package's docstring."""

import argparse
import datetime
import io
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from schema import names
from serving.local.processes import StackError
from serving.local.stack import stack
from tests.load.serving_bench.contestants import Bench, Start, start_merger
from tests.load.serving_bench.load import Result

CALLERS = (1, 8, 32)
STARTS = 5
PAIRS = 7
RAW_BATCH = 32
Results = dict[str, dict[int, Result]]


@dataclass(frozen=True)
class Row:
    """One figure, and whether it reaches its goal; ``ok`` is None where there is no goal."""

    name: str
    value: float
    unit: str
    goal: str = ""
    ok: bool | None = None


def compare(bench: Bench, log: Path) -> Results:
    """All ways with all numbers of callers."""
    results: Results = {"raw": {count: bench.raw(count) for count in CALLERS}}
    results["raw, batches"] = {RAW_BATCH: bench.raw(1, RAW_BATCH)}
    for name, way in (("direct", bench.direct), ("grpc", bench.grpc), ("rest", bench.rest)):
        results[name] = {count: way(count) for count in CALLERS}
    try:
        results["naive"] = bench.naive(CALLERS, log)
    except StackError as error:
        print(f"naive: left out, {error}", file=sys.stderr)
    return results


def overhead(bench: Bench) -> float:
    """Median of the merger by the two direct calls, one caller each, in turns: a machine that is disturbed for a while
    then disturbs both."""
    pairs = [(bench.direct(1), bench.grpc(1)) for _ in range(PAIRS)]
    return statistics.median(merged.p50_ms / direct.p50_ms for direct, merged in pairs)


def rows(results: Results, starts: Iterable[Start], merger_overhead: float) -> list[Row]:
    """Every figure as a row; the goals first."""
    found = [*_goals(results, list(starts), merger_overhead)]
    units = {"p50_ms": "ms", "p99_ms": "ms", "per_second": "pictures/s", "cpu_ms": "CPU ms/picture", "rss_mb": "MB"}
    for name, by_callers in results.items():
        for count, result in by_callers.items():
            found += [Row(f"{name} c={count} {key}", getattr(result, key), unit) for key, unit in units.items()]
    return found


def _goals(results: Results, starts: list[Start], merger_overhead: float) -> Iterable[Row]:
    most = max(CALLERS)
    is_light = merger_overhead <= 1.15
    yield Row(f"merger p50 / two direct calls, c=1, median of {PAIRS} turns", merger_overhead, "×", "≤ 1.15", is_light)
    share = results["grpc"][most].per_second / results["raw"][most].per_second
    yield Row(f"stack throughput / raw, c={most}", share, "×", "≥ 0.9", share >= 0.9)
    if "naive" in results:
        gain = results["grpc"][most].per_second / results["naive"][most].per_second
        yield Row(f"stack throughput / naive, c={most}", gain, "×", "≥ 5", gain >= 5)
    grpc_s, rest_s = (statistics.median(getattr(start, key) for start in starts) for key in ("grpc_s", "rest_s"))
    yield Row("merger cold start until gRPC is ready", grpc_s, "s", "≤ 1", grpc_s <= 1)
    yield Row("merger cold start until REST is ready too", rest_s, "s", "≤ 1", rest_s <= 1)
    rss_mb = max(start.rss_mb for start in starts)
    yield Row("merger resident after its start", rss_mb, "MB", "≤ 100", rss_mb <= 100)


def table(results: Results, found: list[Row]) -> str:
    """What a person reads."""
    lines = [
        "| way | callers | p50 ms | p99 ms | pictures/s | CPU ms/picture | RSS MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, by_callers in results.items():
        for count, r in by_callers.items():
            figures = f"{r.p50_ms:.1f} | {r.p99_ms:.1f} | {r.per_second:.0f} | {r.cpu_ms:.1f} | {r.rss_mb:.0f}"
            lines.append(f"| {name} | {count} | {figures} |")
    lines += ["", "| goal | seen | | |", "|---|--:|--:|---|"]
    lines += [
        f"| {row.name} | {row.value:.2f} {row.unit} | {row.goal} | {'reached' if row.ok else 'missed'} |"
        for row in found
        if row.ok is not None
    ]
    return "\n".join(lines)


def machine() -> str:
    """Where and when."""
    info = Path("/proc/cpuinfo")
    models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    load = f", load before {os.getloadavg()[0]:.1f}"
    return f"{(models or [platform.processor()])[0]}, {os.cpu_count()} cores{load}, {datetime.date.today().isoformat()}"


def small_pictures(folder: Path | None, count: int = 64) -> list[bytes]:
    """Pictures of a catalogue's size: of ``folder``, or drawn."""
    if folder:
        return [path.read_bytes() for path in sorted(folder.glob("*.jpg"))[:count]]
    pictures = []
    for i in range(count):
        noise = Image.effect_noise((60, 80), 40 + i)
        buffer = io.BytesIO()
        Image.merge("RGB", (noise, noise.rotate(180), Image.linear_gradient("L").resize((60, 80)))).save(buffer, "JPEG")
        pictures.append(buffer.getvalue())
    return pictures


def main() -> int:
    """Runs everything; the exit status is 0 also when goals are missed."""
    parser = argparse.ArgumentParser("tests.load.serving_bench", description="Compare ways to serve the two models.")
    parser.add_argument("--release", type=Path, default=Path("build/lookbook/release"))
    parser.add_argument("--pictures", type=Path, help="folder of .jpg files (default: drawn ones of 60 × 80)")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each cell of the table (default %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/bench/serving.json"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    where = machine()
    pictures = small_pictures(options.pictures)
    version = max(int(p.name) for p in (options.release / names.CATEGORY).iterdir() if p.name.isdigit())
    with tempfile.TemporaryDirectory() as folder, stack(options.release, logs=options.out.parent / "logs") as running:
        for i, picture in enumerate(pictures):
            (Path(folder) / f"{i:03}.jpg").write_bytes(picture)
        bench = Bench(running, options.release, version, pictures, Path(folder), options.seconds)
        log = options.out.parent / "logs" / "start.log"
        starts = [start_merger(running.model_target, log) for _ in range(STARTS)]
        merger_overhead = overhead(bench)
        results = compare(bench, options.out.parent / "logs" / "naive.log")
    found = rows(results, starts, merger_overhead)
    document = {"machine": where, "model_server": running.kind, "rows": [vars(row) for row in found]}
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{where}; {running.kind}\n\n{table(results, found)}\n\n{options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
