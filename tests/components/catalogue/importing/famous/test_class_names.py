"""Labels that are numbers have the names that a list beside the sheet gives them, or are told to be numbers."""

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo
from tests.components.catalogue.importing.test_odd_exports import RIGHT, ROWS, changes, lines, shop, types_of

NAMED = "numbers of classes, read as the names beside them"
ALONE = "labels that are numbers alone; give their names, one a line, in a file classes.txt beside the sheet"
LIST = "\n".join(TYPES)


def numbered(tmp_path, first=0, column="label", form="{}"):
    rows = [f"{i}.jpg,{form.format(i % 3 + first)}" for i in ROWS]
    return shop(tmp_path, "\n".join([f"file,{column}", *rows, ""]))


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("classes.txt", LIST, 0),
        ("labels.txt", f"\ufeff{LIST}\r\n", 0),
        ("class_names.txt", LIST, 1),
        ("names.txt", "\n".join(f"{at} {name}" for at, name in enumerate(TYPES, 5)), 5),
        ("Categories.txt", "\n".join(f"{at}: {name}" for at, name in enumerate(TYPES)), 0),
        ("obj/../labels.txt", f"{LIST}\nHosen\n", 0),
    ],
)
@pytest.mark.parametrize("column", ["label", "category_id"])
def test_names_in_a_list(tmp_path, name, text, first, column):
    """A name a line, or behind its number: which is 0 and which 1 is what the numbers leave no doubt of."""
    source = numbered(tmp_path, first, column)
    (source / "obj").mkdir()
    (source / name).write_text(text, encoding="utf-8")
    told = imported(source, tmp_path / "out", *(["--article-type", column] if column == "category_id" else []))
    assert types_of(tmp_path / "out") == RIGHT
    assert changes(told)[NAMED][0].startswith(f"{column} by {name.removeprefix('obj/../')}: ")
    assert ALONE not in changes(told)


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("classes.txt", f"{LIST}\nHosen", 1),  # from 0 without the first, or from 1 without the last
        ("classes.txt", "\n".join(TYPES[:2]), 0),
        ("classes.txt", "\n".join(TYPES[i % 3] for i in ROWS), 0),
        ("labels.txt", "\n".join(f"{i}.jpg {i % 3}" for i in ROWS), 0),
        ("readme.txt", LIST, 0),
        ("classes.txt", "0\n1\n2", 0),
        ("classes.txt", "Hemden\n\udcff\nSchuhe", 0),
    ],
)
def test_numbers_that_no_list_names(tmp_path, name, text, first):
    """What may mean two things, or tells too little, gives no names: the numbers stay, and are told to be such."""
    source = numbered(tmp_path, first)
    (source / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    told = imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(i): str(i % 3 + first) for i in ROWS}
    assert NAMED not in changes(told) and changes(told)[ALONE] == [
        f"label: {', '.join(str(first + i) for i in range(3))}"
    ]


def test_two_lists_that_differ_name_nothing(tmp_path):
    """Which of two lists is meant, nobody can tell; two of the same names are one."""
    source = numbered(tmp_path, form="{}.0")
    (source / "classes.txt").write_text(LIST)
    (source / "labels.txt").write_text("\n".join(f"{at} {name}" for at, name in enumerate(TYPES)))
    imported(source, tmp_path / "same")
    assert types_of(tmp_path / "same") == RIGHT
    (source / "labels.txt").write_text("\n".join(reversed(TYPES)))
    assert ALONE in changes(imported(source, tmp_path / "out"))


def test_words_need_no_list(tmp_path):
    """A list of names beside a column of names changes nothing of it."""
    source = shop(tmp_path, lines("id,label", "{i},{type}"))
    (source / "classes.txt").write_text("a\nb\nc")
    assert NAMED not in changes(imported(source, tmp_path / "out"))
    assert types_of(tmp_path / "out") == RIGHT


def deepfashion(tmp_path):
    """As DeepFashion lays out its category benchmark; folders are of attributes, and no classes."""
    source = tmp_path / "shop"
    for i in ROWS:
        photo(source / "img" / f"Nice_{i % 2}" / f"img_{i:08d}.jpg", i)
    rows = [f"img/Nice_{i % 2}/img_{i:08d}.jpg{' ' * 9}{i % 3 + 1}" for i in ROWS]
    (source / "Anno").mkdir()
    (source / "Anno" / "list_category_img.txt").write_text("\n".join(["6", "image_name  category_label", *rows, ""]))
    kinds = [f"{name}   {at}" for at, name in enumerate(("Hemden", "Polo Blusen", "Schuhe", "Hosen"), 1)]
    (source / "Anno" / "list_category_cloth.txt").write_text("\n".join(["4", "category_name  category_type", *kinds]))
    return source


def test_lists_that_begin_with_their_count(tmp_path):
    """DeepFashion's lists are a sheet, and the names of its numbers are in the list of its categories."""
    told = imported(deepfashion(tmp_path), tmp_path / "out")
    kinds = ("Hemden", "Polo Blusen", "Schuhe")
    assert types_of(tmp_path / "out") == {f"img_{i:08d}": kinds[i % 3] for i in ROWS}
    assert told["mapping"]["sheets"] == ["Anno/list_category_img.txt"]
    assert told["mapping"]["columns"][names.ARTICLE_TYPE_LABEL] == "category_label"


def test_folders_beside_such_lists_are_not_taken_in_silence(tmp_path):
    """Where several lists tell of pictures, which is meant is asked, and no folder is a class."""
    source = deepfashion(tmp_path)
    boxes = [f"img/Nice_{i % 2}/img_{i:08d}.jpg 1 2 3 4" for i in ROWS]
    (source / "Anno" / "list_bbox.txt").write_text("\n".join(["6", "image_name x_1 y_1 x_2 y_2", *boxes]))
    result = lookbook_import(source, tmp_path / "out")
    assert result.exit_code == 1 and "--sheet" in result.output and "list_category_img.txt" in result.output
    imported(source, tmp_path / "out", "--sheet", "Anno/list_category_img.txt")


def test_a_header_without_the_picture(tmp_path):
    """CelebA's: the first of each row is the picture, which the header leaves out."""
    rows = "\n".join(f"{i}.jpg  {i % 2}  {TYPES[i % 3]}" for i in ROWS)
    imported(shop(tmp_path, f"6\nSmiling class\n{rows}\n", "list_attr.txt"), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
