"""Sorting photos: every file is accounted for, none is overwritten or lost, and all goes back, whatever happens."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import RunError
from pipeline.sorting import carry_out as carrying
from pipeline.sorting.alike import sets_of_alike
from pipeline.sorting.carry_out import carry_out
from pipeline.sorting.folder_names import FreeNames, folder_name
from pipeline.sorting.plan import Photo, make_plan
from pipeline.sorting.undo import undo
from schema import heads as table
from tests.drawing import pixels

ARTICLE_TYPE = table.head("article_type")
WAYS = ["link", "copy", "move"]


def answer(label, unsure=False):
    return {"joint": {"article_type": label}, "review": {"needed": unsure}, "attributes": []}


def tree(folder):
    """Every file and link below a folder, with what it holds; folders too."""
    return {
        str(path): path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def photos(tmp_path):
    """Six files, two of one name, one whose name is no UTF-8, one with a name as long as there is."""
    folder = tmp_path / "photos"
    names = ["a/x.jpg", "b/x.jpg", "b/X.JPG", os.fsdecode(b"caf\xe9 \n.jpg"), "é" * 125 + ".jpg", "-rf"]
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"%d" % number)
    return [Photo(folder / name, name, answer("Shirts", unsure=name == "-rf")) for name in names]


def planned(photos, into, alike=()):
    return make_plan(into, photos, alike, ARTICLE_TYPE, {})


@pytest.mark.parametrize("way", WAYS)
def test_all_is_placed_and_all_goes_back(tmp_path, photos, way):
    """Each photo has a place with its content, and after undo everything is as it was before, to the last folder."""
    before = tree(tmp_path)
    plan = planned(photos, tmp_path / "deep" / "sorted", [[0, 3]])
    assert tree(tmp_path) == before
    journal = carry_out(plan, way)
    contents = sorted(step.target.read_bytes() for step in plan.steps)
    assert contents == [b"%d" % number for number in range(6)]
    assert all(step.source.exists() == (way != "move") for step in plan.steps)
    assert undo(journal).kept == {}
    assert tree(tmp_path) == before


def test_names_that_meet_get_numbers(tmp_path, photos):
    """Names that differ in case alone, or are there already, never meet; a long one is cut and keeps its suffix."""
    into = tmp_path / "sorted"
    (into / "Shirts").mkdir(parents=True)
    (into / "Shirts" / "x.jpg").write_bytes(b"mine")
    plan = planned(photos, into)
    carry_out(plan, "copy")
    names = [step.target.name for step in plan.steps]
    assert names[:3] == ["x (2).jpg", "x (3).jpg", "X (4).JPG"]
    assert names[4].endswith("é.jpg") and len(os.fsencode(names[4])) < 255
    assert (into / "Shirts" / "x.jpg").read_bytes() == b"mine"


def test_unsure_ones_lie_in_review_and_failed_ones_stay(tmp_path, photos):
    """What a person should look at is apart, and a photo without an answer is named with the reason."""
    photos[0] = Photo(photos[0].file, photos[0].name, None, "is cut short")
    plan = make_plan(tmp_path / "sorted", photos, [], ARTICLE_TYPE, {"notes.txt": "is text"})
    assert plan.folders() == {"Shirts": 4, "review/Shirts": 1}
    assert plan.left == {"notes.txt": "is text", "a/x.jpg": "is cut short"}
    assert len(plan.steps) + len(plan.left) == len(photos) + 1


def test_a_set_goes_where_its_best_one_goes(tmp_path, photos):
    """Photos that are alike lie in one folder, numbered, although the second was called something else."""
    photos[3] = Photo(photos[3].file, photos[3].name, answer("Tops"))
    plan = planned(photos, tmp_path / "sorted", [[3, 0]])
    places = {step.source: step.target.relative_to(tmp_path / "sorted") for step in plan.steps}
    assert places[photos[3].file].parent == places[photos[0].file].parent == Path("Tops/alike 0001")
    assert [places[photos[index].file].name[:3] for index in (3, 0)] == ["01 ", "02 "]


def test_the_larger_of_two_equal_pictures_is_the_best(tmp_path):
    """The same picture in two sizes is one set, the larger first; another, and what is no picture, is in none."""
    picture = pixels(3, (120, 160))
    picture.resize((60, 80)).save(tmp_path / "small.png")
    picture.save(tmp_path / "large.png")
    Image.new("RGB", (60, 80), "red").save(tmp_path / "other.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    files = [tmp_path / name for name in ("small.png", "other.png", "broken.jpg", "large.png", "gone.png")]
    assert sets_of_alike(files) == [[3, 0]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_midway_loses_nothing(tmp_path, photos, monkeypatch, way, error):
    """With a full disk at the third file two are placed, the rest are where they were, and undo takes all back."""
    before = tree(tmp_path)
    plan = planned(photos, tmp_path / "sorted")
    _fails_at(monkeypatch, 3, way, OSError(error, os.strerror(error)))
    with pytest.raises(RunError, match="2 of 6 files are placed, the others are where they were") as refused:
        carry_out(plan, way)
    monkeypatch.undo()
    assert all(step.source.exists() for step in plan.steps[2:])
    assert sum(step.target.exists() for step in plan.steps) == 2
    undo(Path(str(refused.value).rpartition("--undo ")[2]))
    assert tree(tmp_path) == before


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")  # the child asks nothing of TensorFlow's threads
@pytest.mark.parametrize("way", ["copy", "move"])
@pytest.mark.parametrize("place", ["rename", "fsync", "unlink"])
def test_killed_at_any_moment_nothing_is_lost(tmp_path, photos, way, place):
    """A process that dies between two steps of one file leaves each photo whole somewhere, and undo puts all back."""
    before = tree(tmp_path)
    plan = planned(photos, tmp_path / "sorted")
    child = os.fork()
    if not child:
        _dies_in(place)
        carry_out(plan, way)
        os._exit(0)
    os.waitpid(child, 0)
    for number, step in enumerate(plan.steps):
        assert b"%d" % number in [one.read_bytes() for one in (step.source, step.target) if one.exists()]
    for journal in (tmp_path / "sorted").glob("undo-*.jsonl"):
        assert undo(journal).kept == {}
    assert tree(tmp_path) == before


def test_onto_another_file_system(tmp_path, photos, monkeypatch):
    """Where no second name can be had a move is a copy and a removal, and comes back the same way."""
    before = tree(tmp_path)

    def elsewhere(self, target):
        if "photos" in os.fspath(self) + os.fspath(target) and "sorted" in os.fspath(self) + os.fspath(target):
            raise OSError(errno.EXDEV, "other file system")
        return real(self, target)

    real = Path.hardlink_to
    monkeypatch.setattr(Path, "hardlink_to", elsewhere)
    journal = carry_out(planned(photos, tmp_path / "sorted"), "move")
    assert not any(photo.file.exists() for photo in photos)
    assert undo(journal).kept == {}
    assert tree(tmp_path) == before


def test_without_hard_links(tmp_path, photos, monkeypatch):
    """A file system that has none, as a memory card's, still moves, and overwrites nothing."""
    before = tree(tmp_path)

    def none(self, target):
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", none)
    assert undo(carry_out(planned(photos, tmp_path / "sorted"), "move")).kept == {}
    assert tree(tmp_path) == before
    (tmp_path / "there").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        carrying.rename(photos[0].file, tmp_path / "there")
    assert (tmp_path / "there").read_bytes() == b"mine"


def test_undo_keeps_what_was_changed_since(tmp_path, photos):
    """An edited copy, a copy whose original is gone, and a place that is taken again are kept and named."""
    plan = planned(photos, tmp_path / "sorted")
    journal = carry_out(plan, "copy")
    plan.steps[0].target.write_bytes(b"edited")
    plan.steps[1].source.unlink()
    outcome = undo(journal)
    assert outcome.files == 4
    assert outcome.kept.keys() == {str(plan.steps[0].target), str(plan.steps[1].target)}
    assert journal.exists() and plan.steps[1].target.read_bytes() == b"1"


def test_undo_never_removes_what_a_link_leads_to(tmp_path, photos):
    """An original that was replaced by a link to the sorted file is no second copy."""
    for way in ("copy", "move"):
        plan = planned(photos[:1], tmp_path / way)
        journal = carry_out(plan, way)
        target = plan.steps[0].target
        plan.steps[0].source.unlink(missing_ok=True)
        plan.steps[0].source.symlink_to(target)
        assert undo(journal).kept.keys() == {str(target)}
        assert target.read_bytes() == b"0"
        plan.steps[0].source.unlink()
        shutil.copy(target, plan.steps[0].source)


def test_undo_can_be_run_again_and_refuses_what_is_no_journal(tmp_path, photos):
    """A line that was cut short was no deed; any other file is refused before anything is touched."""
    plan = planned(photos, tmp_path / "sorted")
    journal = carry_out(plan, "move")
    with journal.open("ab") as stream:
        stream.write(b'{"do": "move", "fro')
    again = shutil.copy(journal, tmp_path / "again")
    assert undo(journal).files == 6
    assert undo(Path(again)).files == 0
    for content in ("no journal\n", '{"do": "format", "to": "/"}\n', '{"do": "copy", "to": "x", "from": "y"}\n'):
        (tmp_path / "other").write_text(content)
        with pytest.raises(RunError, match="line 1"):
            undo(tmp_path / "other")


def test_a_target_that_cannot_be_written_is_told_before_anything(tmp_path, photos):
    """A file where the folder should be ends it with nothing touched."""
    (tmp_path / "sorted").write_text("a file")
    with pytest.raises(RunError, match="no file was touched"):
        carry_out(planned(photos, tmp_path / "sorted"), "move")
    assert all(photo.file.exists() for photo in photos)


@pytest.mark.parametrize(
    ("label", "folder"),
    [("T/Shirts", "T_Shirts"), ("..", "_"), ("", "_"), ("review", "review_"), ("Undo-1.jsonl", "Undo-1.jsonl_")],
)
def test_labels_become_folders_of_their_own(label, folder):
    """No label leads out of the folder, hides, or takes the name of what is ours."""
    assert folder_name(label) == folder


def test_free_names_see_each_other(tmp_path):
    """Names given before count as taken."""
    names = FreeNames()
    assert [names.take(tmp_path, "x.jpg").name for _ in range(3)] == ["x.jpg", "x (2).jpg", "x (3).jpg"]


def test_another_column_than_the_release_has_is_said(tmp_path, photos):
    """A column that the release says nothing of is an error in words, before anything is placed."""
    with pytest.raises(RunError, match="says nothing of gender"):
        make_plan(tmp_path / "sorted", photos, [], table.head("gender"), {})


def test_the_journal_is_written_before_the_deed(tmp_path, photos, monkeypatch):
    """Whatever the third deed does, its line is in the file already."""
    _fails_at(monkeypatch, 3, "copy", OSError(errno.EIO, "broken"))
    with pytest.raises(RunError):
        carry_out(planned(photos, tmp_path / "sorted"), "copy")
    lines = (tmp_path / "sorted" / "undo-1.jsonl").read_text().splitlines()
    assert [json.loads(line)["do"] for line in lines].count("copy") == 3


def _fails_at(monkeypatch, number, way, error):
    """Makes the deed of the nth file fail, as a full disk would."""
    calls = []
    name = {"link": "symlink_to", "copy": "open", "move": "hardlink_to"}[way]
    real = getattr(Path, name)

    def failing(self, *arguments, **named):
        if name != "open" or arguments[:1] == ("xb",):
            calls.append(self)
            if len(calls) == number:
                raise error
        return real(self, *arguments, **named)

    monkeypatch.setattr(Path, name, failing)


def _dies_in(place):
    """Ends this process without another word in the third call of a step."""
    calls = []
    owner, name = {
        "rename": (Path, "hardlink_to"),
        "fsync": (os, "fsync"),
        "unlink": (Path, "unlink"),
    }[place]
    real = getattr(owner, name)

    def dying(*arguments, **named):
        calls.append(arguments)
        if len(calls) == (6 if place == "fsync" else 3):
            os._exit(9)
        return real(*arguments, **named)

    setattr(owner, name, dying)
