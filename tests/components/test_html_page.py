"""How pages are written."""

import pytest

from components.html_page import write_html

PAGE = "\n<!DOCTYPE html>\n<title>é</title>\n"


@pytest.mark.parametrize("there", [None, "", "<!doctype html><p>older</p>"])
def test_a_page_replaces_an_older_one(tmp_path, there):
    """A page is written where nothing is, and over another page."""
    file = tmp_path / "page.html"
    if there is not None:
        file.write_text(there)
    write_html(file, PAGE)
    write_html(file, PAGE)
    assert file.read_text(encoding="utf-8") == PAGE


def test_a_page_replaces_nothing_else(tmp_path):
    """A sheet that was named in a page's place is still there, and said to be."""
    file = tmp_path / "styles.csv"
    file.write_text("id,articleType\n")
    with pytest.raises(FileExistsError, match="is there, and no page: it is left as it is"):
        write_html(file, PAGE)
    assert file.read_text() == "id,articleType\n"
