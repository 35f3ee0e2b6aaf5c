"""The parsers of what strangers send, under a fuzzer; and under every input that stays in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.hardening.promises import Promises
from tests.hardening.serving.fuzz.fuzz_images import drawn, try_image, with_checksums
from tests.hardening.serving.fuzz.fuzz_rows import try_rows
from tests.hardening.serving.fuzz.fuzzing import kept

ROOT = Path(__file__).parents[4]
PYTHON = ROOT / ".venv" / "hardening" / "bin" / "python"
BUDGET_S, INPUT_S, MEMORY_MB = 45, 10, 1500


@pytest.mark.parametrize("name", kept("rows"))
def test_kept_rows(name: str) -> None:
    """Each kept CSV file is read or refused as the reader promises."""
    try_rows(kept("rows")[name])


@pytest.mark.parametrize("name", [*drawn(), *kept("images")])
def test_kept_images(name: str) -> None:
    """Each drawn or kept picture passes the gate or is refused as the gate promises."""
    try_image((drawn() | kept("images"))[name])


@pytest.mark.parametrize("name", drawn())
def test_checksums_of_a_whole_picture_stay(name: str) -> None:
    """Mending the checksums of a file that has the right ones leaves it as it is."""
    assert with_checksums(drawn()[name]) == drawn()[name]


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON.exists(), reason="no .venv/hardening: make hardening builds it")
@pytest.mark.parametrize("target", ["fuzz_images", "fuzz_rows"])
def test_fuzz(target: str, tmp_path: Path, promise: Promises) -> None:
    """No input that the fuzzer comes upon makes a parser fail otherwise than by its own errors, hang or swell."""
    promised = f"its own errors only, ≤ {INPUT_S} s and ≤ {MEMORY_MB} MB, whatever the bytes"
    with promise(f"fuzz: {target.removeprefix('fuzz_')}", promised) as row:
        limits = [f"-max_total_time={BUDGET_S}", f"-timeout={INPUT_S}", f"-rss_limit_mb={MEMORY_MB}"]
        command = [PYTHON, "-m", f"tests.hardening.serving.fuzz.{target}", *limits, f"-artifact_prefix={tmp_path}/"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=4 * BUDGET_S)
        found = [f"{path.name}: {path.read_bytes()[:200]!r}" for path in tmp_path.iterdir()]
        assert done.returncode == 0, "\n".join([*found, done.stdout[-3000:], done.stderr[-1000:]])
        runs = re.search(r"Done (\d+) runs in (\d+) second", done.stderr)
        assert runs, done.stderr[-1000:]
        row.seen = f"{int(runs[1]):,} inputs in {runs[2]} s, none broke it"
