"""The command line as a person meets it: help that teaches, errors in words, exit codes that machines can trust."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.catalogue.sample import draw_catalogue
from pipeline.asking import as_table
from tests.drawing import product, write_catalogue

COMMANDS = [
    "run",
    "data",
    "data sample",
    "data download",
    "data check",
    "import",
    "schema",
    "schema diff",
    "classify",
    "explain",
    "similar",
    "drift",
    "score",
    "releases",
    "releases show",
    "rollback",
    "prune",
    "audit",
    "corrections merge",
    "sort",
    "compile",
]


def lookbook(*arguments, **options):
    command = [sys.executable, "-m", "pipeline.runner", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, **options}
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=240, check=False, **options)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command):
    """Every command's help shows a whole command line that a person can copy."""
    result = lookbook(*command.split(), "--help")
    assert result.returncode == 0, result.stderr
    assert "lookbook " in result.stdout.split("Usage:")[1].split("\n", 1)[1] or command in ("data", "schema")


@pytest.mark.parametrize("words", [["--root=~/here"], ["--root", "~/here"]])
def test_a_path_at_home_is_there(tmp_path, words):
    """Most shells leave the ~ of --root=~/here alone, which made a folder of that name."""
    (tmp_path / "here").mkdir()
    result = lookbook("releases", *words, env=os.environ | {"HOME": str(tmp_path)}, cwd=tmp_path)
    assert str(tmp_path / "here") in result.stdout + result.stderr


def test_an_output_that_cannot_be_written_is_said_in_words(tmp_path):
    """A folder that is a file is wrong use, a disk that is full exit code 1: words, and no traceback."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "results.csv"
    result = lookbook("classify", tmp_path / "photos", "--out", out, "--server", "localhost:1")
    assert result.returncode == 2 and f"'{out.parent}' is no folder" in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    with Path("/dev/full").open("w") as full:
        result = lookbook("releases", "--root", tmp_path, stdout=full)
    assert (result.returncode, result.stderr) == (1, "Error: [Errno 28] No space left on device\n")


def test_top_level_help_lists_every_command():
    """The first thing a person types shows what there is, and what the exit codes mean."""
    result = lookbook("--help")
    assert result.returncode == 0
    assert all(command in result.stdout for command in COMMANDS if " " not in command)
    assert "Exit codes" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["run"],
        ["run", "--data", "/no/such/catalogue"],
        ["run", "--data", ".", "--profile", "no-such-profile"],
        ["run", "--data", ".", "--set", "epochs=many"],
        ["run", "--data", ".", "--attributes", "gender,colour"],
        ["run", "--data", ".", "--runner", "dataflow", "--workers", "docker:lookbook/pipeline:1"],
        ["run", "--data", ".", "--region", "europe-west1"],
        ["score", "--data", ".", "--version", "0"],
        ["classify", __file__, "--excel"],
        ["classify", ".", "--out", "results.jsonl", "--excel"],
        ["classify", ".", "--out", "results.txt"],
        ["explain", __file__, "--out", "heat.gif"],
        ["similar", __file__, "--contact-sheet", "sheet.pdf"],
        ["similar", __file__, "--k", "51"],
        ["similar", __file__, "--server", "http://127.0.0.1:9090"],
    ],
)
def test_wrong_use_is_exit_code_2(arguments):
    """What was typed wrongly is told apart from what went wrong."""
    result = lookbook(*arguments)
    assert result.returncode == 2
    assert "Error" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_attribute_that_is_none_is_refused_at_once(tmp_path):
    """The error names what was asked for and what there is; names of heads are as good as names of columns."""
    result = lookbook("run", "--data", tmp_path, "--root", tmp_path / "root", "--attributes", "base_colour, colour")
    assert "'colour'" in result.stderr
    assert "gender, baseColour, season, usage" in result.stderr
    assert not (tmp_path / "root").exists()


def test_a_catalogue_that_is_none_is_exit_code_1(tmp_path):
    """A folder without styles.csv is refused in words before anything is trained."""
    (tmp_path / "data").mkdir()
    result = lookbook("run", "--data", tmp_path / "data", "--root", tmp_path / "root")
    assert result.returncode == 1
    assert "styles.csv" in result.stderr
    assert "Traceback" not in result.stderr


def test_dask_is_refused_with_the_reason(tmp_path):
    """A Beam runner that gives wrong results without an error cannot be chosen."""
    result = lookbook("run", "--data", tmp_path, "--root", tmp_path / "root", "--beam-arg=--runner=DaskRunner")
    assert result.returncode != 0
    assert "DaskRunner" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_root_is_refused(tmp_path):
    """A root that cannot be written is an error that names it and the option to change it."""
    (tmp_path / "closed").mkdir(mode=0o500)
    result = lookbook("rollback", "--root", tmp_path / "closed" / "root")
    assert result.returncode == 1
    assert "--root" in result.stderr


def test_a_root_that_is_a_file_is_refused(tmp_path):
    """A root that cannot be a folder is an error that names it and the option to change it."""
    (tmp_path / "file").write_text("not a folder")
    result = lookbook("rollback", "--root", tmp_path / "file" / "root")
    assert result.returncode == 2
    assert "--root" in result.stderr


def test_no_release_yet_is_said(tmp_path):
    """Asking for releases where there are none is no error; rolling back or scoring is."""
    assert "No release" in lookbook("releases", "--root", tmp_path).stdout
    assert json.loads(lookbook("releases", "--root", tmp_path, "--json").stdout)["current"] is None
    result = lookbook("rollback", "--root", tmp_path)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_the_second_run_on_a_root_says_that_the_first_is_at_work(tmp_path):
    """Two writers never meet below one root; the second is told who holds it."""
    holder = f"""
import time
from pathlib import Path
from pathlib import Path
from pipeline.config import Layout
from pipeline.running.lock import locked
with locked(Layout(Path({str(tmp_path)!r}))):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        result = lookbook("rollback", "--root", tmp_path)
        process.kill()
    assert result.returncode == 1
    assert f"process {process.pid}" in result.stderr


def test_download_offline_says_what_to_do(tmp_path):
    """Without the internet the download ends with a reason and a way out, not with a traceback."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    result = lookbook("data", "download", tmp_path / "Dataset", env=os.environ | nowhere | {"HOME": str(tmp_path)})
    assert result.returncode == 1
    assert "online" in result.stderr
    assert "Traceback" not in result.stderr


def test_sample_is_checked_clean(tmp_path):
    """The catalogue that Lookbook draws is one that it accepts."""
    for count in (90, 60):  # drawn again, it keeps nothing of what it was
        assert lookbook("data", "sample", tmp_path / "sample", "--count", count).returncode == 0
    assert len([*(tmp_path / "sample/images").iterdir()]) == 60
    result = lookbook("data", "check", tmp_path / "sample", "--trial", "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 0, result.stderr
    assert report["taken"] == 60
    assert report["rejected"] == []


def test_the_check_as_a_page_opens_in_the_browser(tmp_path):
    """Also where the catalogue is refused, which is when a person wants to look; the browser gets the file written."""
    directory = write_catalogue(tmp_path / "data", [product(str(number), number) for number in range(3)])
    opened, page = tmp_path / "opened", tmp_path / "a page.html"
    (tmp_path / "xdg-open").write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    (tmp_path / "xdg-open").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    result = lookbook("data", "check", directory, "--page", page, "--open", env=environment)
    assert result.returncode == 1 and "no rows for" in result.stderr
    assert "Catalogue report" in page.read_text(encoding="utf-8")
    deadline = time.monotonic() + 60
    while not opened.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert opened.read_text().strip() == str(page)


def test_what_a_run_would_refuse_is_refused_before(tmp_path):
    """Both looks at a catalogue say no where a run would, in one sentence about the data, and exit with 1."""
    rows = [product(str(number), articleType="Shirts", year="1850") for number in range(40)]
    directory = write_catalogue(tmp_path, rows)
    for command in (("data", "check"), ("schema", "diff")):
        result = lookbook(*command, directory)
        assert result.returncode == 1
        assert "the data does not meet the schema:" in result.stderr
        assert "train: year: Unexpectedly small value: 1850" in result.stderr
        assert "train: articleType: all rows have the same one" in result.stderr
        assert "Traceback" not in result.stderr


@pytest.fixture
def full_disk(tmp_path):
    """A file system of its own that holds three megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_said_and_nothing_is_released(full_disk, tmp_path):
    """A run that fills its disk ends with exit code 1, names the disk, and leaves no release."""
    assert lookbook("data", "sample", tmp_path / "sample").returncode == 0
    result = lookbook("run", "--data", tmp_path / "sample", "--profile", "quick", "--root", full_disk / "root")
    assert result.returncode == 1
    assert "is full" in result.stderr
    assert "--root" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list((full_disk / "root").glob("release/manifests/*"))


def test_answers_are_a_short_table():
    """What `run --ask` prints is a line a picture: what it shows, how sure that is, and what went wrong."""
    answer = {"path": ["Apparel", "Topwear", "Shirts"], "joint": {"confidence": 0.987}, "review": {"needed": True}}
    answer["trial"] = False
    table = as_table(
        [
            {"file": "held_out/1.jpg", "answer": answer, "error": None},
            {"file": "2.jpg", "answer": None, "error": {"detail": "is no picture"}},
        ]
    )
    assert [line.split() for line in table.splitlines()[1:]] == [
        ["1.jpg", "Apparel", "›", "Topwear", "›", "Shirts", "0.99", "needs", "a", "look"],
        ["2.jpg", "is", "no", "picture", "failed"],
    ]


def test_an_audit_finds_the_labels_that_were_swapped(tmp_path):
    """Of drawn pictures with swapped labels most are suspected, a page and lists are left, and no label is changed."""
    draw_catalogue(tmp_path / "sample", count=300)
    sheet = tmp_path / "sample" / "styles.csv"
    lines = sheet.read_text().splitlines()
    trousers = [index for index, line in enumerate(lines) if ",Trousers," in line][:3]
    for index in trousers:
        lines[index] = lines[index].replace(",Trousers,", ",Tshirts,")
    sheet.write_text("\n".join(lines) + "\n")
    before = sheet.read_bytes()
    arguments = ["audit", "--data", tmp_path / "sample", "--root", tmp_path / "root", "--out", tmp_path / "audit"]
    done = lookbook(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    suspects = {one["id"]: one["suggested"] for one in json.loads(done.stdout)["suspects"]}
    swapped = {lines[index].split(",")[0] for index in trousers}
    assert len(swapped & suspects.keys()) >= 2
    assert len(suspects) < 30
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {"index.html", "fixes.csv", "audit.json"}
    assert sheet.read_bytes() == before
    again = lookbook(*arguments)
    assert (again.returncode, "may hold decisions" in again.stderr) == (1, True)


def test_a_release_that_is_none_cannot_be_shown(tmp_path):
    """The error says which there are, as words and exit code 1."""
    done = lookbook("releases", "show", 3, "--root", tmp_path)
    assert (done.returncode, "has no release 3; it has: none" in done.stderr) == (1, True)
