"""Names that only look different, thousands of one name, and files that others write to while photos are sorted."""

import errno
from pathlib import Path

import pytest

from pipeline.sorting import carry_out as carrying
from pipeline.sorting.carry_out import carry_out
from pipeline.sorting.folder_names import FreeNames, part_of
from tests.pipeline.sorting.test_sorting import photos, planned

__all__ = ["photos"]


def test_names_in_two_forms_meet(tmp_path):
    """An accent as one letter and as two is one name to some file systems, so the second gets a number."""
    names = FreeNames()
    assert [names.take(tmp_path, name).name for name in ("\u00e9.jpg", "e\u0301.jpg")] == [
        "\u00e9.jpg",
        "e\u0301 (2).jpg",
    ]


def test_many_photos_of_one_name_get_theirs_at_once(tmp_path, monkeypatch):
    """A shop with a folder a product has thousands of ``1.jpg``; the next number is known, not searched for."""
    asked = []
    monkeypatch.setattr("pipeline.sorting.folder_names.part_of", lambda path: asked.append(path) or path)
    names = FreeNames()
    assert [names.take(tmp_path, "1.jpg").name for _ in range(500)][-1] == "1 (500).jpg"
    assert len(asked) < 1000


def test_a_run_after_one_that_was_killed_is_not_in_its_way(tmp_path, photos):
    """Half a copy, left by a run that was killed, stops no other: its name counts as taken, and its own undo works."""
    (tmp_path / "sorted" / "Shirts").mkdir(parents=True)
    part = part_of(tmp_path / "sorted" / "Shirts" / "x.jpg")
    part.write_bytes(b"half")
    plan = planned(photos, tmp_path / "sorted")
    carry_out(plan, "copy")
    assert plan.steps[0].target.name == "x (2).jpg" and part.read_bytes() == b"half"


def test_a_photo_that_is_being_written_is_not_moved(tmp_path, photos, monkeypatch):
    """Onto another file system a move is a copy; what is written to the photo meanwhile does not go with it."""

    def no_second_name(self, target):
        raise OSError(errno.EXDEV, "other file system")

    def written_to(source, target):
        target.write_bytes(source.read_bytes())
        with source.open("ab") as stream:
            stream.write(b"more")

    monkeypatch.setattr(Path, "hardlink_to", no_second_name)
    monkeypatch.setattr(carrying, "place_copy", written_to)
    with pytest.raises(OSError, match="was written to while it was moved"):
        carrying.move(photos[0].file, tmp_path / "there")
    assert photos[0].file.read_bytes() == b"0more" and not (tmp_path / "there").exists()
