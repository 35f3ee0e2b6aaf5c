"""Undo files: whatever is given as one, and whatever became of it, no file is lost and nothing is claimed untruly."""

import os
import shutil

import pytest

from pipeline.errors import RunError
from pipeline.sorting.carry_out import carry_out
from pipeline.sorting.undo import undo
from tests.pipeline.sorting.test_sorting import photos, planned, tree

__all__ = ["photos"]


@pytest.mark.parametrize(
    "content",
    [
        b"a note without a line's end",
        b"\xff\xd8\xff\xe0 a small photo",
        '{"do": "made", "to": "/nothing"}\n'.encode("utf-16"),
        b"[" * 100_000 + b"\n",
        b'{"do": "copy", "from": "/x", "to": "/"}\n',
        b'{"do": "copy", "from": "/x", "to": "/a\\u0000b/c"}\n',
        b'{"do": "made", "to": "/\\ud800/c"}\n',
        b'{"do": "move", "from": "x.jpg", "to": "/nothing/x.jpg"}\n',
    ],
)
def test_what_is_no_undo_file_is_refused_and_stays(tmp_path, content):
    """A photo or a note given by mistake, and a line that no run wrote, are named, and the file is there as it was."""
    (tmp_path / "given").write_bytes(content)
    with pytest.raises(RunError, match=r"given, line \d is none of a journal"):
        undo(tmp_path / "given")
    assert (tmp_path / "given").read_bytes() == content


def test_an_empty_file_tells_of_nothing_and_stays(tmp_path):
    """Nothing was taken back by a file that says nothing, so it is not ours to remove."""
    (tmp_path / "given").touch()
    assert undo(tmp_path / "given").files == 0
    assert (tmp_path / "given").exists()


def test_a_pipe_is_no_undo_file(tmp_path):
    """A pipe or a device is refused at once, neither waited for nor removed."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunError, match="is no file, but a device or a pipe"):
        undo(tmp_path / "pipe")
    assert (tmp_path / "pipe").exists()


@pytest.mark.parametrize("way", ["link", "copy", "move"])
def test_a_file_that_an_editor_saved_is_read_whole(tmp_path, photos, way):
    """A mark in front, other line ends, and a last line without one hide no deed."""
    before = tree(tmp_path)
    journal = carry_out(planned(photos, tmp_path / "sorted"), way)
    journal.write_bytes(b"\xef\xbb\xbf" + journal.read_bytes().replace(b"\n", b"\r\n").rstrip())
    assert undo(journal).files == 6
    assert tree(tmp_path) == before


@pytest.mark.parametrize("way", ["link", "copy", "move"])
def test_a_folder_that_was_renamed_since_is_told(tmp_path, photos, way):
    """Files that are not where the undo file says are not taken for taken back: it stays until they are there again."""
    before = tree(tmp_path)
    journal = carry_out(planned(photos, tmp_path / "sorted"), way)
    (tmp_path / "sorted").rename(tmp_path / "renamed")
    with pytest.raises(RunError, match="none is there; if that folder was renamed, name it so again"):
        undo(tmp_path / "renamed" / journal.name)
    (tmp_path / "renamed").rename(tmp_path / "sorted")
    undo(journal)
    assert tree(tmp_path) == before


def test_what_replaced_a_moved_photo_stays(tmp_path, photos):
    """A folder or a link under a moved photo's name is not put where the photo was."""
    plan = planned(photos, tmp_path / "sorted")
    journal = carry_out(plan, "move")
    folder, link = (step.target for step in plan.steps[:2])
    folder.rename(tmp_path / "kept")
    folder.mkdir()
    link.unlink()
    link.symlink_to(tmp_path / "kept")
    assert undo(journal).kept == dict.fromkeys(map(str, (link, folder)), "is no longer the file that was moved")
    assert folder.is_dir() and link.is_symlink() and journal.exists()


def test_a_folder_that_is_a_link_by_now_ends_no_undo(tmp_path, photos):
    """All goes back although a folder was replaced by a link to it."""
    journal = carry_out(planned(photos, tmp_path / "sorted"), "move")
    (tmp_path / "sorted" / "Shirts").rename(tmp_path / "elsewhere")
    (tmp_path / "sorted" / "Shirts").symlink_to(tmp_path / "elsewhere")
    assert undo(journal).files == 6


def test_undo_takes_no_file_of_another_run(tmp_path, photos):
    """Of two runs that chose one name, the undo of the one that came too late leaves the other's equal photo alone."""
    other = [shutil.copytree(tmp_path / "photos", tmp_path / "other") / "a" / "x.jpg"]
    plan = planned(photos[:1], tmp_path / "sorted")
    late = planned([type(photos[0])(one, one.name, photos[0].answer) for one in other], tmp_path / "sorted")
    carry_out(plan, "move")
    with pytest.raises(RunError, match="a file of that name by now; sort again"):
        carry_out(late, "move")
    assert undo(tmp_path / "sorted" / "undo-2.jsonl").files == 0
    assert plan.steps[0].target.read_bytes() == other[0].read_bytes() == b"0"


def test_a_run_whose_undo_file_went_moves_nothing_more(tmp_path, photos):
    """An undo while a run is at work ends that run: nothing is moved that no undo would know of."""
    before = tree(tmp_path)

    def take_back(_):
        undo(tmp_path / "sorted" / "undo-1.jsonl")

    with pytest.raises(RunError, match="the undo file was taken away meanwhile"):
        carry_out(planned(photos, tmp_path / "sorted"), "move", take_back)
    assert {path: content for path, content in tree(tmp_path).items() if "sorted" not in path} == before
