"""What an output may be, what is done with one that is not as it was left, and that nothing of others is touched."""

import json
import shutil
from pathlib import Path

import pytest

from components.storage.location import location
from components.storage.store import Store
from pipeline.bulk import run as bulk_run
from pipeline.errors import RunError
from tests import tiny_models
from tests.pipeline.bulk.conftest import classify, rows_of


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """130 pictures: two shards."""
    folder = tmp_path_factory.mktemp("few")
    for number in range(130):
        (folder / f"{number:03}.jpg").write_bytes(tiny_models.picture(tiny_models.COLOURS[number % 6]))
    return folder


@pytest.fixture(scope="session")
def made(layout, few, tmp_path_factory) -> Path:
    """A whole output of them, to be copied."""
    output = tmp_path_factory.mktemp("made") / "out.csv"
    classify(layout, few, output)
    return output


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    """A whole output of them."""
    return Path(shutil.copytree(made, tmp_path / "out.csv"))


@pytest.mark.parametrize("theirs", ["out.csv", "out.csv/mine.csv", "out.csv/00000-of-00002.csv", "out.csv/a/0.jpg"])
def test_in_a_store_what_is_not_ours_is_left_alone(layout, few, s3_bucket, theirs):
    """An object of that name, or a folder of others' objects, is no output to fill: none of them is replaced."""
    store = Store(s3_bucket)
    store.write(theirs, b"mine")
    with pytest.raises(RunError, match="no output of this command"):
        classify(layout, few, location(f"{s3_bucket}/out.csv"))
    assert store.sizes("") == {theirs: 4} and store.read(theirs) == b"mine"


def test_in_a_store_an_output_that_was_begun_is_gone_on_with(layout, few, s3_bucket):
    """One that ended before its plan was written, and one that lacks a table and its end, become whole."""
    store, output = Store(s3_bucket), location(f"{s3_bucket}/out.csv")
    store.write("out.csv/_shards/00000.pictures.json", b"[]")
    assert classify(layout, few, output)["resumed"] == 0
    store.remove("out.csv/00001-of-00002.csv")
    assert classify(layout, few, output)["resumed"] == 128
    assert len(store.read("out.csv/00001-of-00002.csv").splitlines()) == 3
    assert classify(layout, few, output)["resumed"] == 130


@pytest.mark.parametrize("emptied", ["00001-of-00002.csv", "_shards/00001.done.json"])
def test_a_table_that_was_emptied_is_made_again(layout, few, output, emptied):
    """A file of no bytes, as a full disk or a hand leaves it, is no table, and no note that says that there is one."""
    table = output / "00001-of-00002.csv"
    before = table.read_bytes()
    (output / emptied).write_bytes(b"")
    assert classify(layout, few, output)["resumed"] == 128
    assert table.read_bytes() == before


def test_a_folder_of_others_is_not_filled(layout, few, tmp_path):
    """A folder that has the name under which an output is filled keeps that, and all that is in it."""
    working = tmp_path / "out.csv.partial"
    working.mkdir()
    (working / "mine").write_text("mine")
    (working / ".lock").write_text("mine too")
    with pytest.raises(RunError, match=r"out\.csv\.partial is there already, and is no output of this command"):
        classify(layout, few, tmp_path / "out.csv")
    assert {path.name: path.read_text() for path in working.iterdir()} == {"mine": "mine", ".lock": "mine too"}


def test_what_cannot_get_the_name_is_told_before_the_work(layout, few, tmp_path, monkeypatch):
    """A link, a volume's mount point and a name too long are refused at once, and not when all is classified."""
    monkeypatch.setattr(bulk_run, "classify", None)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.csv").symlink_to("empty")
    (tmp_path / "volume.csv").mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: str(path).endswith("volume.csv"))
    for name in ("link.csv", "volume.csv"):
        with pytest.raises(RunError, match=r"cannot be replaced.*give a folder in it"):
            classify(layout, few, tmp_path / name)
    for length in (250, 260):
        with pytest.raises(RunError, match="cannot be written: File name too long; give another"):
            classify(layout, few, tmp_path / f"{'x' * (length - 4)}.csv")


def test_a_table_that_is_gone_from_a_whole_output_is_made_again(layout, few, tmp_path):
    """Nobody is told that all is there while a part of it is not, and the others are left as they are."""
    output = tmp_path / "out.parquet"
    classify(layout, few, output)
    before = rows_of(output)
    (output / "00001-of-00002.parquet").unlink()
    kept = (output / "00000-of-00002.parquet").stat().st_mtime_ns
    assert classify(layout, few, output)["resumed"] == 128
    assert rows_of(output) == before and (output / "00000-of-00002.parquet").stat().st_mtime_ns == kept
    assert not (tmp_path / "out.parquet.partial").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '"x"', '{"pictures": 6}', "\0"])
def test_a_summary_that_is_damaged_is_written_again(layout, few, output, content):
    """The counts come from the tables' notes, whatever became of the file that says that all is there."""
    first = json.loads((output / "_summary.json").read_text())
    (output / "_summary.json").write_text(content)
    again = classify(layout, few, output)
    assert (again["answered"], again["resumed"]) == (130, 130)
    written = json.loads((output / "_summary.json").read_text())
    assert written["answered"] == 130 and written.keys() == first.keys()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"release": 1}', '{"release": 1, "pictures": null}'])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_plan_that_is_damaged_is_told(layout, few, output, content, is_whole):
    """Where nobody knows any more what the tables are of, nothing goes on with them, and it is said what helps."""
    (output / "_plan.json").write_text(content)
    if not is_whole:
        output.rename(f"{output}.partial")
    with pytest.raises(RunError, match=r"_plan\.json .*damaged.*; remove .*, or give another --output"):
        classify(layout, few, output)


@pytest.mark.parametrize("content", ["{", "{}", "null", "[[1]]"])
def test_notes_that_are_damaged_are_told_or_written_again(layout, few, output, content):
    """A count that cannot be read is told with what helps; which pictures a shard has is noted anew."""
    done, pictures = (output / "_shards" / f"00001.{kind}.json" for kind in ("done", "pictures"))
    done.write_text(content)
    with pytest.raises(RunError, match=r"00001\.done\.json is damaged; remove it"):
        classify(layout, few, output)
    done.unlink()
    pictures.write_text(content)
    assert classify(layout, few, output)["resumed"] == 128


def test_tables_of_another_kind_are_told(layout, few, output):
    """A folder that was renamed to another suffix has the tables that it had, and is none of the new kind."""
    for name in ("out.parquet", "other.parquet.partial"):
        there = Path(shutil.copytree(output, output.with_name(name)))
        with pytest.raises(RunError, match=r"is of \.csv tables"):
            classify(layout, few, there.with_name(name.removesuffix(".partial")))


def test_a_folder_that_was_renamed_is_told_by_its_name(layout, few, output):
    """Whoever moved an output is told where it is, and not where it was."""
    moved = output.rename(output.with_name("moved.csv"))
    assert classify(layout, few, moved)["output"] == str(moved)


def test_what_another_process_finished_meanwhile_is_not_done_again(layout, few, made, tmp_path, monkeypatch):
    """A call that still lists its pictures while another ends finds that one's output whole, and leaves it so."""
    output, lock = tmp_path / "out.csv", bulk_run.outputs.lock

    def lock_later(working: Path):
        shutil.copytree(made, output)
        return lock(working)

    monkeypatch.setattr(bulk_run.outputs, "lock", lock_later)
    assert classify(layout, few, output)["resumed"] == 130
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("begun", ["out.csv", "out.csv.partial"])
def test_what_another_process_began_meanwhile_is_not_gone_on_with(layout, few, made, tmp_path, monkeypatch, begun):
    """Tables of other pictures, of which there were none when it was looked, never come together with these."""
    plan, lock = json.loads((made / "_plan.json").read_text()), bulk_run.outputs.lock

    def lock_later(working: Path):
        shutil.copytree(made, tmp_path / begun)
        (tmp_path / begun / "_plan.json").write_text(json.dumps(plan | {"pictures_digest": "others'"}))
        return lock(working)

    monkeypatch.setattr(bulk_run.outputs, "lock", lock_later)
    with pytest.raises(RunError, match="of which some changed, came or went"):
        classify(layout, few, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == [begun]
    assert len(list((tmp_path / begun).iterdir())) == len(list(made.iterdir()))
