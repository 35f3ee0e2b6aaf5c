"""What is done stays, another call goes on with it, and nothing else is touched."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.storage.location import Location
from pipeline.bulk import stages
from pipeline.bulk.files import LocalFiles
from pipeline.commands.asking.classify import command
from pipeline.errors import RunError
from tests import tiny_models
from tests.pipeline.bulk.conftest import classify, release, rows_of

PATIENCE_S = 240


def test_a_full_disk_loses_nothing_that_was_done(layout, photos, tmp_path, monkeypatch):
    """Shards that were written are left as they are by the next call, which does the others alone."""
    write = LocalFiles.write

    def write_two(self: LocalFiles, name: str, content: bytes) -> None:
        if name.startswith("00002"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, name, content)

    monkeypatch.setattr(LocalFiles, "write", write_two)
    with pytest.raises(Exception, match="No space left"):
        classify(layout, photos, tmp_path / "out.parquet")
    monkeypatch.undo()
    working = tmp_path / "out.parquet.partial"
    assert not (tmp_path / "out.parquet").exists()
    before = {path.name: path.stat().st_mtime_ns for path in working.glob("*.parquet")}
    assert len(before) == 2 and not list(working.glob(".*.tmp"))
    summary = classify(layout, photos, tmp_path / "out.parquet")
    assert (summary["pictures"], summary["resumed"], summary["answered"]) == (300, 256, 300)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out.parquet").glob("*.parquet")}
    assert before.items() <= after.items() and len(after) == 3 and not working.exists()
    assert len(rows_of(tmp_path / "out.parquet")) == 300


def test_another_release_or_other_pictures_are_told(photos, tmp_path):
    """Rows of two releases, or of pictures that changed, never come together; the release of before goes on."""
    layout = release(tmp_path / "root")
    classify(layout, photos, tmp_path / "out.csv")
    release(tmp_path / "root", 2, weights=1)
    with pytest.raises(RunError, match=r"is of release 1, and now it is 2; --version 1"):
        classify(layout, photos, tmp_path / "out.csv")
    assert classify(layout, photos, tmp_path / "out.csv", version=1)["resumed"] == 300
    (photos / "000.jpg").write_bytes(tiny_models.picture("grey"))
    with pytest.raises(RunError, match="of which some changed, came or went"):
        classify(layout, photos, tmp_path / "out.csv", version=1)
    with pytest.raises(RunError, match="no release 7"):
        classify(layout, photos, tmp_path / "other.csv", version=7)


def test_what_is_not_ours_is_left_alone(layout, photos, tmp_path):
    """A file or folder of that name is no output to go on with, and nothing in it is touched."""
    (tmp_path / "out.csv").write_text("mine")
    (tmp_path / "out.parquet").mkdir()
    (tmp_path / "out.parquet" / "mine").touch()
    for name in ("out.csv", "out.parquet"):
        with pytest.raises(RunError, match="no output of this command"):
            classify(layout, photos, tmp_path / name)
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.parquet", "photos"]


def test_beams_counters_tell_what_was_done(layout, photos, tmp_path):
    """An engine's own page shows how many pictures were answered, and how many failed of what."""
    import apache_beam as beam

    from pipeline.bulk import output as outputs
    from pipeline.bulk.listing import list_input, shards_of

    (photos / "000.jpg").write_text("no picture")
    found, working = list_input(str(photos)), tmp_path / "working"
    outputs.write_shards(LocalFiles(working), dict(enumerate(shards_of(found.entries, 150))))
    job = stages.Job(layout.releases, 1, found.place, working, ".csv", 2)
    pipeline = beam.Pipeline("FnApiRunner")
    stages.classify(pipeline, job, [0, 1])
    result = pipeline.run()
    result.wait_until_finish()
    counters = {one.key.metric.name: one.committed for one in result.metrics().query()["counters"]}
    assert counters.items() >= {"pictures": 300, "answered": 299, "failed": 1, "failed_image_unsupported": 1}.items()


def start(layout, photos: Location, output: Path) -> "subprocess.Popen[str]":
    arguments = ["--input", photos, "--output", output, "--root", layout.root, "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.runner", "classify", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_interrupted_call_ends_at_once_and_is_gone_on_with(photos, tmp_path):
    """Ctrl-C in the middle says what to do; the same command then does the rest, and its summary counts all."""
    layout = release(tmp_path / "root", delay_seconds=0.4)
    process = start(layout, photos, tmp_path / "out.csv")
    deadline = time.monotonic() + PATIENCE_S
    while not list(tmp_path.glob("out.csv.partial/_shards/*.done.json")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130 and "the same command goes on with it" in said
    assert not (tmp_path / "out.csv").exists()
    again = start(layout, photos, tmp_path / "out.csv")
    told, said = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0, said
    summary = json.loads(told)
    assert summary["answered"] == 300 and 128 <= summary["resumed"] < 300


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "x"], "--output is missing"),
        (["--output", "x.csv"], "--input is missing"),
        (["--input", "x", "--output", "x.txt"], "it must end in .parquet, .csv, .tfrecord"),
        (["--input", "x", "--output", "https://shop.example/x.csv"], "a web server takes no files"),
        (["--input", "x", "--output", "s3://key:secret@shop/x.csv"], "may be a secret and is not printed"),
        (["--input", "x", "--output", "x.csv", "--server", "localhost:1"], "take no --server"),
        (["--runner", "flink"], "go with --input and --output"),
        ([], "--input and --output"),
    ],
)
def test_wrong_use_is_told(arguments, words):
    """What does not go together ends with exit code 2, before anything is read."""
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2 and words in result.output, result.output


def test_an_output_that_cannot_be_written_is_told(layout, photos, tmp_path):
    """No run begins that could not write its first line."""
    (tmp_path / "file").touch()
    result = CliRunner().invoke(
        command, ["--input", str(photos), "--output", str(tmp_path / "file" / "x.csv"), "--root", str(layout.root)]
    )
    assert result.exit_code == 1 and "cannot be written: Not a directory" in result.output, result.output


def test_without_any_release_it_is_said_how_to_make_one(photos, tmp_path):
    """Who has made none yet learns what to do, and not that there is no release of no number."""
    arguments = ["--input", str(photos), "--output", str(tmp_path / "x.csv"), "--root", str(tmp_path / "root")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert "has no release; make one with: lookbook run --data PATH" in result.output, result.output
