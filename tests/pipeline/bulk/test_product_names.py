"""The sheet of ``--names``: whose name each row has, however a spreadsheet wrote it, and what is not heard."""

import unicodedata

import pytest

from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from pipeline.commands.asking.product_names import read_names
from serving.client.product_names import names_of

FILES = ("10001.jpg", "a/10002.png", "007.jpg", "Étui.jpg")


def heard(path, content, files=FILES):
    changes = Changes()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return names_of(files, read_names(path, changes)), {change.what for change in changes.all()}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("id,name\n10001,A shirt\n", {"10001.jpg": "A shirt"}),
        ("\ufeffID;Product Display Name\r\n10001;A, shirt\r\n", {"10001.jpg": "A, shirt"}),
        ("id,articleType,productDisplayName\n10001,Shirts,Men, White\n", {"10001.jpg": "Men, White"}),
        ("id\tname\n10001\tRöcke\n".encode("utf-16"), {"10001.jpg": "Röcke"}),
        ("id,name\n10001,Röcke\n".encode("cp1252"), {"10001.jpg": "Röcke"}),
        ("id,name\n10001.0,A\n10002.0,B\n7,C\n", {"10001.jpg": "A", "a/10002.png": "B", "007.jpg": "C"}),
        ("file,name\nimages/10001.JPG,A\nx\\a\\10002.png,B\n", {"10001.jpg": "A", "a/10002.png": "B"}),
        (f"file,name\n{unicodedata.normalize('NFD', 'étui.jpg')},A\n", {"Étui.jpg": "A"}),
        ('id,name\n10001,"A 15" bag\n10002,B\n', {"10001.jpg": '"A 15" bag', "a/10002.png": "B"}),
        ("id,name\n10001,nan\n10002,Tops &amp; Tees\n", {"a/10002.png": "Tops & Tees"}),
        ("id,name\n", {}),
    ],
)
def test_a_name_finds_its_picture(tmp_path, content, named):
    """Encoding, separator, commas in names, and what a spreadsheet makes of ids, lose none."""
    assert heard(tmp_path / "names.csv", content)[0] == named


def test_no_name_is_of_two_pictures_that_it_only_may_mean(tmp_path):
    """What is alike has one name only where nothing else could have it."""
    sheet = "id,name\n7,A\n10001,B\n"
    assert heard(tmp_path / "n.csv", sheet, ["7.jpg", "007.jpg"])[0] == {"7.jpg": "A"}
    assert heard(tmp_path / "n.csv", sheet, ["07.jpg", "007.jpg", "10001.jpg"])[0] == {"10001.jpg": "B"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\3\4", "spreadsheet's own file"),
        ("id,name\n10001,A\0\n", "NUL byte in line 2"),
        ("id,name\n10001,シャツ\n".encode("shift_jis"), "save it as UTF-8"),
        ("sku,title\n1,A\n", "one of file, id must be among them"),
        ("id,name\n10001,A\n10001.0,B\n", "two names for '10001', in line 3"),
        ("", "is empty"),
    ],
)
def test_a_sheet_that_cannot_be_heard_is_refused(tmp_path, content, words):
    """Never a traceback, and never half of the names."""
    with pytest.raises(CatalogueError, match=words):
        heard(tmp_path / "names.csv", content)


def test_names_that_nobody_hears_are_told(tmp_path):
    """Rows that cannot be read are counted, and a sheet of other pictures is an error before any is asked about."""
    _, told = heard(tmp_path / "n.csv", "id,x,name\n10001\n,x,A\n10002,x,B\n")
    assert told == {"row of the names that cannot be read, not heard", "name of nobody, not heard"}
    assert heard(tmp_path / "n.csv", "id,name\n10001,\n10002,nan\n") == ({}, {"sheet without any name, nothing heard"})
    with pytest.raises(ValueError, match=r"none of the 2 names .* '5', '6', the pictures are '10001.jpg'"):
        heard(tmp_path / "n.csv", "id,name\n5,A\n6,B\n")


def test_a_row_without_end_is_not_told_whole(tmp_path):
    """What is said of a row that nobody can read fits a line, however long the row is."""
    (tmp_path / "n.csv").write_text(f"file,name\n0.jpg,A\n1.jpg,{'x' * 200_000}\n")
    changes = Changes()
    assert read_names(tmp_path / "n.csv", changes) == {"0.jpg": "A"}
    assert 50 < max(len(str(change)) for change in changes.all()) < 300
