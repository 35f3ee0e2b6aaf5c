"""What would end a run after minutes ends it in two seconds, in words, and before anything is written."""

import csv
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.commands.run import command as run
from pipeline.runner import cli
from pipeline.running.run import RunResult
from schema.release_folder import Release
from tests.drawing import product, write_catalogue

LATEST_S = 8.0  # two on a machine of its own


def lookbook(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pipeline.runner", *map(os.fspath, map(_text, arguments))]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)


def _text(argument: object) -> str | Path:
    return argument if isinstance(argument, Path) else str(argument)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return write_catalogue(tmp_path / "data", [product(str(number), number) for number in range(3)])


def assert_refused(result: subprocess.CompletedProcess, *words: str) -> None:
    assert result.returncode in (1, 2), result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.mark.parametrize(
    "setting", ["learning_rate=-1", "backbone=resnet", "warmup=7", "frozen_to=block99_add", "neighbour_layers=top,x"]
)
def test_a_setting_that_makes_no_sense(catalogue: Path, tmp_path: Path, setting: str) -> None:
    """A number out of its range and a network that there is not are named with what would be right."""
    result = lookbook("run", "--data", catalogue, "--root", tmp_path / "root", "--set", setting)
    assert_refused(result, setting.partition("=")[0], "must be")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    "option",
    [
        *(f"--max-p50-ms={value}" for value in ("nan", "inf", "0", "-1", "fast")),
        *(f"--max-bad={value}" for value in ("nan", "inf", "-0.1", "2", "few")),
        *(f"--limit={value}" for value in ("-1", "1.5", "nan", "all", "9" * 20)),
        *(f"--ask={value}" for value in ("-1", "nan")),
        *("--split-by=colour", "--profile=fast", "--attributes=colour", "--schema={data}/styles.csv"),
        *("--schema={data}/empty", "--mapping={data}/styles.csv", "--mapping={data}", "--data={data}/nothing"),
        *(
            "--root={data}/styles.csv",
            "--keep=0",
            "--keep=many",
            "--keep-version=x",
            "--keep-version=3",
            "--set=epochs",
            "--set==3",
        ),
        *("--set=epochs=1.5", "--set=mirror=maybe", "--set=colour=1", "--set=learning_rate=nan"),
        *("--beam-arg=--runner=Foo", "--beam-arg=--runner=a.b.Foo", "--beam-arg=--runner=json.loads"),
        *("--beam-arg=spark", "--beam-arg=--nonsense=3", "--beam-arg=--direct_num_workers=x"),
        *("--beam-arg=--runner=DaskRunner", "--beam-arg=--help"),
    ],
)
def test_an_option_that_makes_no_sense(catalogue: Path, tmp_path: Path, option: str) -> None:
    """A value of the wrong kind, out of its range, or no number at all is refused by its name."""
    arguments = ["--data", str(catalogue), "--root", str(tmp_path / "root"), option.format(data=catalogue)]
    (catalogue / "empty").touch()
    result = CliRunner().invoke(run, arguments)
    assert result.exit_code in (1, 2), result.output
    assert arguments[-1].rpartition("=")[2].rpartition("/")[2] in result.output
    assert not (tmp_path / "root").exists()


def test_an_empty_path_is_not_the_folder_that_one_is_in(tmp_path: Path) -> None:
    """As a variable that is not set makes it: nobody asked for all that lies here."""
    for command in (["run", "--root", tmp_path / "root", "--data"], ["schema", "diff"]):
        assert_refused(lookbook(*command, ""), "it is empty; give a path or a URI")
    assert not (tmp_path / "root").exists()


def test_a_split_by_a_column_that_is_not_there(catalogue: Path, tmp_path: Path) -> None:
    """Without years there is no split by year; with a split column of its own the catalogue needs none."""
    rows = list(csv.DictReader((catalogue / "styles.csv").read_text(encoding="utf-8").splitlines()))
    columns = [column for column in rows[0] if column != "year"]
    with (catalogue / "styles.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    result = lookbook("run", "--data", catalogue, "--root", tmp_path / "root", "--split-by", "year")
    assert_refused(result, "no column year", "group or row")


@pytest.mark.parametrize(("year", "says"), [("", "empty"), ("soon", "empty"), ("2012", "holds 2012")])
def test_a_split_by_a_column_that_splits_nothing(tmp_path: Path, year: str, says: str) -> None:
    """Years that are not there, or one and the same everywhere, put nothing in front of anything else."""
    folder = write_catalogue(tmp_path / "data", [product(str(number), number, year=year) for number in range(30)])
    result = lookbook("run", "--data", folder, "--root", tmp_path / "root", "--split-by", "year")
    assert_refused(result, says, "group or row")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("name", ["x[1]", "x{1}", "x*y", "x?y", "a\\b", 'a"b', os.fsdecode(b"caf\xe9"), "a\nb"])
def test_a_path_that_reads_as_a_pattern(catalogue: Path, tmp_path: Path, name: str) -> None:
    """Root, catalogue and releases below such a name are refused by every command that would stumble over it."""
    strange = tmp_path / name
    shutil.copytree(catalogue, strange / "data")
    (strange / "release" / "article_type" / "1").mkdir(parents=True)
    (strange / "release" / "category" / "1").mkdir(parents=True)
    picture = next((catalogue / "images").iterdir())
    commands = [
        ("run", "--data", catalogue, "--root", strange / "root"),
        ("run", "--data", strange / "data", "--root", tmp_path / "root"),
        ("score", "--data", catalogue, "--release", strange / "release"),
        ("classify", picture, "--root", strange),
    ]
    for command in commands if name == "x[1]" else commands[:1]:
        start = time.monotonic()
        assert_refused(lookbook(*command), "TensorFlow does not read")
        assert command[0] == "score" or time.monotonic() - start < LATEST_S
    assert not (tmp_path / "root").exists()


def test_a_sample_is_drawn_into_nobody_elses_folder(catalogue: Path, tmp_path: Path) -> None:
    """A folder with files of its own is left as it is; a sample may be drawn anew."""
    before = {path: path.read_bytes() for path in catalogue.rglob("*") if path.is_file()}
    assert_refused(lookbook("data", "sample", catalogue, "--count", 18), str(catalogue), "empty folder")
    assert {path: path.read_bytes() for path in catalogue.rglob("*") if path.is_file()} == before
    for _ in range(2):
        assert lookbook("data", "sample", tmp_path / "new", "--count", 18).returncode == 0


@pytest.mark.parametrize("command", [("data", "check"), ("schema", "diff")])
def test_a_path_that_no_run_could_read_is_refused_where_the_catalogue_is_looked_at(
    catalogue: Path, command: tuple[str, str]
) -> None:
    """Checking says no in the words of the run."""
    pattern = catalogue.rename(catalogue.with_name("data[1]"))
    assert_refused(lookbook(*command, pattern), f"the catalogue '{pattern}' holds [ ]")


def test_an_attribute_that_no_column_tells(tmp_path: Path) -> None:
    """What the header shows is not found out by statistics of all rows."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "styles.csv").write_text("id,articleType,subCategory,masterCategory\n1,Shirts,Topwear,Apparel\n")
    arguments = ["--root", str(tmp_path / "root"), "--attributes=gender"]
    for command in (["run", "--data"], ["data", "check"], ["schema", "diff"]):
        result = CliRunner().invoke(cli, [*command, str(folder), *arguments])
        assert result.exit_code == 2
        assert "attributes gender" in result.output and "no such column" in result.output
    assert not (tmp_path / "root").exists()


def test_a_sample_of_no_seed(tmp_path):
    """A seed that no picture can be drawn by is wrong use, and leaves no folder."""
    result = CliRunner().invoke(cli, ["data", "sample", str(tmp_path / "sample"), "--seed", "-1"])
    assert (result.exit_code, "--seed" in result.output) == (2, True)
    assert not (tmp_path / "sample").exists()


def test_a_list_of_corrections_that_cannot_be_read(catalogue: Path, tmp_path: Path) -> None:
    """It would be wanted after the release, which takes hours; nothing is run with it."""
    (catalogue / "corrections.csv").write_bytes(b"no list \xff")
    result = lookbook("run", "--data", catalogue, "--root", tmp_path / "root")
    assert_refused(result, "corrections.csv", "UTF-8")
    assert not (tmp_path / "root" / "artifacts").exists()


def test_corrections_that_cannot_be_checked_take_back_no_release(catalogue: Path, tmp_path: Path, monkeypatch) -> None:
    """The release is made: the run says what it could not do, goes on, and ends well."""
    release = Release(1, {"metrics": {}})
    done = RunResult(steps=[], seconds=1, version=1, release=release, current=release)
    monkeypatch.setattr("pipeline.commands.run._run", lambda config: done)
    monkeypatch.setattr("pipeline.commands.run.keeps_corrections", lambda catalogue: True)
    result = CliRunner().invoke(run, ["--data", str(catalogue), "--root", str(tmp_path / "root"), "--keep", "3"])
    assert result.exit_code == 0, result.output
    assert "Release 1 is current" in result.output and "not checked: " in result.output
    assert "No release is older than the newest 3" in result.output
