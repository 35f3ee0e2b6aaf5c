"""The Python client and the classification of folders, against a real merger."""

import asyncio
import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.client import ClassifierClient, ClassifyError
from serving.client.folder import Summary, classify_directory
from serving.client.loopback import is_loopback
from serving.client.outputs import COLUMNS
from serving.local.processes import free_port
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")


@pytest.fixture
def client(running: MergerProcess) -> Iterator[ClassifierClient]:
    with ClassifierClient(running.grpc_target, timeout_s=10) as open_client:
        yield open_client


def folder_of_pictures(tmp_path: Path, count: int) -> Path:
    """Pictures in two levels, one broken, one with a name that a spreadsheet would run, one file that is none."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for i in range(count):
        path = folder / ("more" if i % 3 == 0 else "") / f"{i:03}.jpg"
        path.write_bytes(tiny_models.picture(tiny_models.COLOURS[i % 6]))
    (folder / "=cmd.png").write_bytes(tiny_models.picture("blue", image_format="PNG"))
    (folder / "broken.jpg").write_bytes(b"hello")
    (folder / "notes.txt").write_text("no picture")
    return folder


async def test_answers(client: ClassifierClient, fake: FakeModelServer) -> None:
    """Each method gives what the service gives."""
    answer = await asyncio.to_thread(client.classify, RED)
    assert answer.joint.article_type == tiny_models.expected("red", 1)["article_type"]
    batch = await asyncio.to_thread(client.classify_batch, [("r", RED), ("x", b"")])
    assert (batch.succeeded, batch.results[1].error.code) == (1, "image_missing")
    assert len((await asyncio.to_thread(client.taxonomy)).paths) == len(tiny_models.PRODUCTS)
    assert (await asyncio.to_thread(client.models)).ready


async def test_errors(client: ClassifierClient, fake: FakeModelServer) -> None:
    """A refusal is an exception with the problem; whether trying again makes sense is part of it."""
    with pytest.raises(ClassifyError, match="image_unsupported") as caught:
        await asyncio.to_thread(client.classify, b"hello")
    assert caught.value.problem.status == 415 and not caught.value.is_passing
    nobody = ClassifierClient(f"127.0.0.1:{free_port()}", timeout_s=3)
    with pytest.raises(ClassifyError, match="unreachable") as caught:
        await asyncio.to_thread(nobody.classify, RED)
    assert caught.value.is_passing


async def test_stream_survives_the_merger(fake: FakeModelServer, tmp_path: Path) -> None:
    """The merger is killed in the middle and comes back on the same port: every picture is answered once, in order."""
    ports = {"grpc_port": free_port(), "http_port": free_port()}
    target = f"127.0.0.1:{ports['grpc_port']}"
    fake.models["category"].delay_s = 0.1
    items = [(f"{i}", tiny_models.picture(tiny_models.COLOURS[i % 6])) for i in range(120)]
    results: list[pb.ClassifyResult] = []

    def collect() -> None:
        with ClassifierClient(target) as client:
            results.extend(client.classify_stream(iter(items)))

    async with merger(tmp_path, fake.target, **ports) as first:
        await first.ready()
        collecting = asyncio.create_task(asyncio.to_thread(collect))
        await until(lambda: sum(count for _, count in fake.models["category"].calls) >= 30)
        first.process.kill()
        await first.process.wait()
        assert len(results) < 120
    async with merger(tmp_path, fake.target, **ports) as second:
        await second.ready()
        await asyncio.wait_for(collecting, 30)
    assert [(one.id, one.index) for one in results] == [(f"{i}", i) for i in range(120)]
    wanted = [tiny_models.expected(tiny_models.COLOURS[i % 6], 1)["article_type"] for i in range(120)]
    final = [one.answer.joint.article_type or one.error.code for one in results]
    assert {got for got, want in zip(final, wanted, strict=True) if got != want} <= {"not_ready"}


def rows_of(out: Path) -> list[dict[str, Any]]:
    if out.suffix == ".jsonl":
        return [json.loads(line) for line in out.read_text().splitlines()]
    with out.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
async def test_folder(client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, suffix: str) -> None:
    """Every picture of the folder has its row, in the order of the names; a failed one its reason, told at once."""
    folder = folder_of_pictures(tmp_path, 30)
    told: list[str] = []
    out = tmp_path / f"out{suffix}"
    summary = await asyncio.to_thread(classify_directory, client, folder, out, told.append)
    rows = rows_of(out)
    names = [row["file"].lstrip("'") for row in rows]
    assert names == sorted(names) and len(names) == 32
    assert (summary.resumed, summary.answered, list(summary.failed)) == (0, 31, ["broken.jpg"])
    assert len(told) == 1 and told[0].startswith("broken.jpg: image_unsupported")
    by_name = {row["file"]: row for row in rows}
    expected = tiny_models.expected("yellow", 1)
    if suffix == ".csv":
        assert tuple(rows[0]) == COLUMNS
        assert by_name["more/003.jpg"]["articleType"] == expected["article_type"]
        assert by_name["more/003.jpg"]["id"] == "003" and by_name["more/003.jpg"]["review"] == "false"
        assert by_name["broken.jpg"]["error"] == "image_unsupported" and by_name["broken.jpg"]["articleType"] == ""
        assert "'=cmd.png" in by_name, "no spreadsheet runs a file's name"
    else:
        assert by_name["more/003.jpg"]["answer"]["joint"]["article_type"] == expected["article_type"]
        assert by_name["broken.jpg"]["error"]["code"] == "image_unsupported"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("keep", [0.0, 0.4, 0.7, 1.0])
async def test_folder_resumes(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, suffix: str, keep: float
) -> None:
    """A run that was cut off anywhere, even inside a row, goes on where it was, and the result is the same."""
    folder = folder_of_pictures(tmp_path, 12)
    out = tmp_path / f"out{suffix}"
    await asyncio.to_thread(classify_directory, client, folder, out)
    whole = rows_of(out)
    os.truncate(out, int(keep * out.stat().st_size))
    fake.models["category"].calls.clear()
    summary = await asyncio.to_thread(classify_directory, client, folder, out)
    assert [row["file"] for row in rows_of(out)] == [row["file"] for row in whole]
    assert summary.resumed + summary.answered + len(summary.failed) == 14
    assert sum(count for _, count in fake.models["category"].calls) == summary.answered
    assert (summary == Summary(resumed=14)) == (keep == 1.0)


async def test_familiarity_has_a_column(client: ClassifierClient, fake: FakeModelServer, tmp_path: Path) -> None:
    """A table that was begun before there was such a column goes on without it; a new one has it, maybe empty."""
    out, former = tmp_path / "out.csv", COLUMNS[:-1]
    folder = folder_of_pictures(tmp_path, 3)
    out.write_text(",".join(former) + "\n")
    await asyncio.to_thread(classify_directory, client, folder, out)
    assert [tuple(row) for row in rows_of(out)] == [former] * 5
    new = tmp_path / "new.csv"
    await asyncio.to_thread(classify_directory, client, folder, new)
    assert {row["familiarity"] for row in rows_of(new)} == {""}


async def carry(fake: FakeModelServer, running: MergerProcess, release: int, *attributes: str) -> None:
    """A release with these attributes answers from now on."""
    fake.carry(*attributes)
    fake.serve_versions(release)
    await running.ready(release=release)


async def test_folder_has_the_attributes(
    client: ClassifierClient, fake: FakeModelServer, running: MergerProcess, tmp_path: Path
) -> None:
    """Two columns for each attribute of the release, in the catalogue's names."""
    await carry(fake, running, 2, "pattern", "base_colour")
    out = tmp_path / "out.csv"
    await asyncio.to_thread(classify_directory, client, folder_of_pictures(tmp_path, 6), out)
    rows = {row["file"]: row for row in rows_of(out)}
    more = ("pattern", "pattern_confidence", "baseColour", "baseColour_confidence")
    assert tuple(rows["001.jpg"]) == (*COLUMNS, *more)
    expected = tiny_models.expected(tiny_models.COLOURS[1], 2, ["base_colour"])
    assert rows["001.jpg"]["baseColour"] == expected["base_colour"]
    assert rows["001.jpg"]["baseColour_confidence"] == "0.94"
    assert [rows["broken.jpg"][column] for column in more] == ["", "", "", ""]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["gender"], ["gender", "season"], ["season"]),
        (["gender", "season"], ["season"], []),
        ([], ["usage"], ["usage"]),
    ],
)
async def test_folder_keeps_its_columns(
    client: ClassifierClient,
    fake: FakeModelServer,
    running: MergerProcess,
    tmp_path: Path,
    before: list[str],
    after: list[str],
    told: list[str],
) -> None:
    """Resumed under a release with other attributes, a row has the cells of the header; what is left out is told."""
    await carry(fake, running, 2, *before)
    folder = folder_of_pictures(tmp_path, 6)
    (folder / "broken.jpg").unlink()
    out = tmp_path / "out.csv"
    await asyncio.to_thread(classify_directory, client, folder, out)
    first = rows_of(out)[0]
    os.truncate(out, out.stat().st_size // 2)
    await carry(fake, running, 3, *after)
    lines: list[str] = []
    await asyncio.to_thread(classify_directory, client, folder, out, lines.append)
    rows = rows_of(out)
    assert all(row.keys() == first.keys() and None not in row.values() for row in rows)
    for head in before:
        assert bool(rows[-1][head]) == bool(rows[-1][f"{head}_confidence"]) == (head in after)
    assert [line.partition(";")[0] for line in lines] == [f"{out} has no columns for {head}" for head in told]


async def test_folder_refuses_a_column_twice(
    client: ClassifierClient, fake: FakeModelServer, running: MergerProcess, tmp_path: Path
) -> None:
    """An attribute whose column the table has already would overwrite it: JSON lines can hold both."""
    await carry(fake, running, 2, "release")
    folder = folder_of_pictures(tmp_path, 1)
    with pytest.raises(ValueError, match="column 'release'"):
        await asyncio.to_thread(classify_directory, client, folder, tmp_path / "out.csv")
    assert (await asyncio.to_thread(classify_directory, client, folder, tmp_path / "out.jsonl")).answered == 2


async def test_folder_refuses_a_stranger_output(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path
) -> None:
    """Rows of other files are never mixed with ours, and other formats are refused."""
    folder = folder_of_pictures(tmp_path, 3)
    other = tmp_path / "other.jsonl"
    other.write_text('{"file": "elsewhere.jpg"}\n')
    cases: list[tuple[Path, Path, type[Exception], str]] = [
        (folder, other, ValueError, "holds other files"),
        (folder, tmp_path / "out.xlsx", ValueError, "must end in .csv or .jsonl"),
        (tmp_path / "nothing", tmp_path / "out.csv", NotADirectoryError, "is no folder"),
    ]
    for pictures, out, error, why in cases:
        with pytest.raises(error, match=why):
            await asyncio.to_thread(classify_directory, client, pictures, out)
    assert other.read_text() == '{"file": "elsewhere.jpg"}\n'


async def test_folder_waits_for_a_model(client: ClassifierClient, fake: FakeModelServer, tmp_path: Path) -> None:
    """A model that is away for a moment costs time, not answers."""
    folder = folder_of_pictures(tmp_path, 6)
    model = fake.models["category"]
    model.versions = {}

    async def come_back() -> None:
        await asyncio.sleep(1.0)
        model.versions = {1: "AVAILABLE"}

    back = asyncio.create_task(come_back())
    summary = await asyncio.to_thread(classify_directory, client, folder, tmp_path / "out.csv")
    await back
    assert (summary.answered, list(summary.failed)) == (7, ["broken.jpg"])


@pytest.mark.parametrize(
    ("target", "is_here"),
    [
        ("localhost:9090", True),
        ("127.0.0.1:9090", True),
        ("127.8.9.1", True),
        ("[::1]:9090", True),
        ("ipv4:127.0.0.1:9090", True),
        ("dns:///localhost:9090", True),
        ("unix:/run/lookbook", True),
        ("a.localhost", True),
        ("LOCALHOST.:9090", True),
        ("0.0.0.0:9090", True),
        ("[::]:9090", True),
        ("[::ffff:127.0.0.1]:9090", True),
        ("127.1:9090", True),
        ("2130706433:9090", True),
        ("ipv6:%5B::1%5D:9090", True),
        ("ipv4:127.0.0.1:9090,127.0.0.1:9091", True),
        ("ipv4:127.0.0.1:9090,10.0.0.1:9090", False),
        ("10.1:9090", False),
        ("größe:9090", False),
        ("dns://10.0.0.1/localhost:9090", False),
        ("unixhost:9090", False),
        ("merger:9090", False),
        ("localhost.example.com:443", False),
        ("10.0.0.1:9090", False),
    ],
)
async def test_what_is_this_machine(target: str, is_here: bool) -> None:
    """Only what is this machine itself goes past the environment's proxy."""
    assert is_loopback(target) == is_here
