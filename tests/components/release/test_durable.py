"""What a release is written with."""

import pytest

from components.release import durable


@pytest.mark.parametrize("below", ["file", "file/folder", "file/folder/another"])
def test_a_file_in_the_way_of_a_folder_is_told(tmp_path, below):
    """The file is named, and what is wrong with it: that it exists is what whoever reads that knows."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"no folder; give another: '.*/file'$"):
        durable.make_folder(tmp_path / below)
    assert (tmp_path / "file").read_text() == "mine"
