"""Exports as shops have them that once gave a wrong label, lost a row or a picture, or ended in an unreasoned error."""

import json
import time

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, rejected, styles
from tests.drawing import encoded, pixels

ROWS = range(6)
LEVELS = (names.MASTER_CATEGORY_LABEL, names.SUB_CATEGORY_LABEL, names.ARTICLE_TYPE_LABEL)
RIGHT = {str(i): TYPES[i % 3] for i in ROWS}


def shop(tmp_path, text, name="a.csv", stems=ROWS):
    """A folder with one sheet and the pictures of its rows."""
    source = tmp_path / "shop"
    for seed, stem in enumerate(stems):
        photo(source / f"{stem}.jpg", seed)
    source.mkdir(exist_ok=True)
    (source / name).write_text(text, encoding="utf-8")
    return source


def lines(head, row):
    """A sheet of one row a picture."""
    return "\n".join([head, *(row.format(i=i, type=TYPES[i % 3]) for i in ROWS), ""])


def types_of(out):
    return {row_id: row[names.ARTICLE_TYPE_LABEL] for row_id, row in styles(out).items()}


def changes(told):
    return {change["what"]: change["examples"] for change in told["changes"]}


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("id;type;name (de, en, fr)", "{i};{type};N"),
        ('"id";"type";"Länge, Weite, Höhe, Tiefe"', '"{i}";"{type}";"N"'),
        ("id;type;netto, EUR;brutto, EUR;EK, alt, EUR", "{i};{type};1,9;2,9;3"),
        ("Herbst\nid\ttype\tPreis", "{i}\t{type}\t1,90"),
        ("id,type,images", "{i},{type},{i}.jpg|a.jpg|b.jpg|c.jpg"),
        ("id,type,text", '{i},{type},"a; b; c; d; e"'),
    ],
)
def test_the_separator_is_the_one_that_rows_agree_on(tmp_path, head, row):
    """Commas in the names of columns, in prices and in texts separate nothing, though the header has more of them."""
    imported(shop(tmp_path, lines(head, row)), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT


def test_a_description_of_many_lines_is_one_cell(tmp_path):
    """What a shop's editor writes in HTML takes no row apart, and a quote that nobody closed swallows none."""
    body = '"<ul class=""a; b"">\n' + "<li>soft, warm</li>\n" * 15 + '</ul>"'
    rows = [f"{i},{body if i != 2 else chr(34) + 'open'},Acme,{TYPES[i % 3]}" for i in ROWS]
    told = imported(shop(tmp_path, "\n".join(["id,Body (HTML),Vendor,Type", *rows])), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert told["rows"] == len(ROWS)


@pytest.mark.parametrize("between", [" -> ", "->", " => ", " → ", " &gt; ", " &raquo; ", " ▸ ", "＞", "///"])
def test_a_path_of_categories_by_any_arrow(tmp_path, between):
    """However a shop draws the arrow, also escaped as in a page, the parts are labels and no sign stays in them."""
    path = between.join(("Mode", "Oben", "{type}"))
    imported(shop(tmp_path, lines("id|category", f"{{i}}|{path}")), tmp_path / "out")
    told = [[row[level] for level in LEVELS] for row in styles(tmp_path / "out").values()]
    assert told == [["Mode", "Oben", TYPES[i % 3]] for i in ROWS]


def test_a_product_in_several_categories(tmp_path):
    """Paths are not run together to a label of their own: the first of the longest counts, and the others are told."""
    rows = ["Mode > Hosen, Sale > Winter", "Mode > Hosen, Mode > Kurz", "Mode, Mode > Hosen", r"Mode > Hüte\, Caps"]
    text = "\n".join(["id;categories", *(f"{i};{row}" for i, row in enumerate(rows))])
    told = imported(shop(tmp_path, text), tmp_path / "out")
    assert list(types_of(tmp_path / "out").values()) == ["Hosen", "Hosen", "Hosen", "Hüte, Caps"]
    assert changes(told)["further categories of a row, not taken"] == ["a.csv:2: Sale > Winter", "a.csv:3: Mode > Kurz"]


@pytest.mark.parametrize(
    "cell",
    [
        "{i}.jpg?v=2&w=90",
        "img/{i}.jpg#x, x.jpg?v=1",
        "{i}.jpg,x.jpg,",
        ",{i}.jpg",
        '["{i}.jpg", "x.jpg"]',
        "['{i}.jpg']",
        r'["https:\/\/a.test\/{i}.jpg","x"]',
        '=IMAGE("https://a.test/{i}.jpg")',
        '"=HYPERLINK(""https://a.test/{i}.jpg"";""front, left"")"',
        '"=IFERROR(__xludf.DUMMYFUNCTION(""IMAGE(""""https://a.test/{i}.jpg?w=9"""")""),"""")"',
        '=BILD("{i}.jpg")',
        "{i}.jpg (https://v5.a.test/v3/u/abc/xyz)",
        "{i}.jpg (https://v5.a.test/abc),front, left (2).jpg (https://v5.a.test/xyz)",
        '<a href="/p/{i}"><img class="x" src="https://a.test/{i}.jpg" alt="front" /></a>',
        "![front](https://a.test/{i}.jpg)",
    ],
)
def test_a_list_of_pictures_in_any_dress(tmp_path, cell):
    """Separators at the ends, lists of JSON and Python, formulas, attachments, a page's elements: the first counts."""
    told = imported(shop(tmp_path, lines("sku;type;images", f"S{{i}};{{type}};{cell}")), tmp_path / "out")
    assert told["mapping"]["columns"]["picture"] == "images"
    assert types_of(tmp_path / "out") == {f"S{i}": TYPES[i % 3] for i in ROWS}


def test_remarks_in_the_names_of_columns(tmp_path):
    """A unit, a language or a mark of what must be filled in hides no column; the plain name counts before it."""
    head = "Artikelnr. (SKU);Produkttyp [Pflicht];Farbe (RAL);Name (en);Name"
    told = imported(shop(tmp_path, lines(head, "{i};{type};rot;shirt;Hemd")), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert told["mapping"]["columns"][names.BASE_COLOUR] == "Farbe (RAL)"
    assert styles(tmp_path / "out")["0"][names.PRODUCT_NAME] == "Hemd"


@pytest.mark.parametrize("row", ["{i}.jpg,{type}", "{i},{type},Name {i}"])
def test_a_sheet_without_a_header_is_refused(tmp_path, row):
    """Its first product would be taken for the names of columns, and be lost."""
    text = "\n".join(row.format(i=i, type=TYPES[i % 3]) for i in range(12))
    result = lookbook_import(shop(tmp_path, text, stems=range(12)), tmp_path / "out")
    assert result.exit_code == 1 and "has no header" in result.output


def test_names_that_differ_in_case_or_kind_are_different_pictures(tmp_path):
    """Linux and zips keep them apart: each row has the picture that it names, and a folder's pictures all get ids."""
    files = ("A/1.jpg", "a/1.jpg", "B/1.jpg", "B/x_1.jpg", "B_x/1.jpg")
    for seed, file in enumerate(files):
        photo(tmp_path / "shop" / file, seed)
    photo(tmp_path / "shop" / "A" / "1.png", 9, "PNG")
    imported(tmp_path / "shop", tmp_path / "out")
    assert sorted(types_of(tmp_path / "out").values()) == ["A", "A", "B", "B", "B_x", "a"]
    (tmp_path / "shop" / "a.csv").write_text(
        "id,type,image\n1,Hemd,A/1.jpg\n2,Hose,a\\1.jpg\n3,Rock,b/1.JPG\n4,x,A/1.JPG"
    )
    imported(tmp_path / "shop" / "a.csv", tmp_path / "named")
    assert {file.stem: file.read_bytes() for file in (tmp_path / "named" / names.IMAGES_DIR).iterdir()} == {
        str(at): encoded(pixels(seed)) for at, seed in ((1, 0), (2, 1), (3, 2))
    }
    assert rejected(tmp_path / "named")["a.csv:5"][0] == "several images"


def test_a_path_is_relative_to_the_sheet_that_names_it(tmp_path):
    """A set in several folders has names that come again: each sheet means the pictures beside it."""
    for seed, split in enumerate(("train", "test")):
        for i in ROWS:
            photo(tmp_path / "data" / split / f"{i}.jpg", 10 * seed + i)
        (tmp_path / "data" / split / "metadata.csv").write_text(lines("file_name,label", "{i}.jpg,{type}"))
    told = imported(tmp_path / "data", tmp_path / "out")
    assert told["taken"] == 2 * len(ROWS)
    assert (tmp_path / "out" / names.IMAGES_DIR / "test_3.jpg").read_bytes() == encoded(pixels(13))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_json_with_half_of_a_character_costs_its_row(tmp_path, name):
    """What is no text can be no label and no file: the row is rejected with the reason, and the others are taken."""
    rows = [{"id": str(i), "type": TYPES[i % 3] + ("\ud83d" if i == 2 else "")} for i in ROWS]
    text = json.dumps(rows) if name == "a.json" else "\n".join(map(json.dumps, rows))
    imported(shop(tmp_path, text, name), tmp_path / "out")
    assert types_of(tmp_path / "out") == {key: label for key, label in RIGHT.items() if key != "2"}
    ((_, detail),) = rejected(tmp_path / "out").values()
    assert "half of a surrogate pair" in detail


def test_a_list_under_the_name_of_json_lines(tmp_path):
    """A wrong name is no reason to refuse a file; one that is neither is told by its first line."""
    rows = [{"id": key, "type": label} for key, label in RIGHT.items()]
    source = shop(tmp_path, json.dumps(rows, indent=1), "a.jsonl")
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    (source / "a.jsonl").write_text('{"id":\n1}\n{"id":\n2}\n')
    assert "a.jsonl:1 is no JSON" in lookbook_import(source, tmp_path / "other").output


def test_an_import_that_takes_nothing_leaves_the_earlier_one(tmp_path):
    """A wrong sheet costs no catalogue; and a catalogue that is given as a source is called one, in words."""
    source, out = shop(tmp_path, lines("id,type", "{i},{type}")), tmp_path / "out"
    imported(source, out)
    (source / "b.csv").write_text("id,type\nX,a\nY,b\n")
    assert lookbook_import(source / "b.csv", out).exit_code == 1
    assert types_of(out) == RIGHT
    assert "is of an import, and no source; take it as it is" in lookbook_import(out, tmp_path / "other").output
    (out / names.STYLES_CSV).unlink()
    assert "it did not end: run it again" in lookbook_import(out, tmp_path / "other").output


def test_cells_that_are_filled_up_with_spaces_take_no_minutes(tmp_path):
    """A database's columns of a fixed width are read at once: a thousand spaces behind a URL took one a cell."""
    spaces, begun = " " * 1000, time.monotonic()
    row = f"{{i}};Mode > {{type}}{spaces * 20}.;https://a.test/{{i}}.jpg{spaces}front"
    row += f";a.jpg{spaces * 20}(http{spaces};a/{{i}}/b{spaces * 20}, c"
    imported(shop(tmp_path, lines("id;category;image;note;class", row)), tmp_path / "out")
    assert types_of(tmp_path / "out") == {key: f"{label} ." for key, label in RIGHT.items()}
    assert time.monotonic() - begun < 20


def test_the_example_of_a_refusal_is_of_its_usual_reason(tmp_path):
    """One broken row among many of another fault does not stand for them."""
    text = lines("id,type,image\n1,2,3,4", "{i}x,{type},https://a.test/x{i}.png")
    result = lookbook_import(shop(tmp_path, text), tmp_path / "out")
    assert "6 × image not fetched, 1 × unreadable row (first: a.csv:3:" in result.output


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("id,type\n1,a,b\n2,a,b\n", (), "a.csv:2: 3 fields, the header names 2"),
        ("id,type\n1,a\n2,b\n", ("--article-type", ""), "--article-type is ''"),
    ],
)
def test_the_error_tells_what_is_wrong(tmp_path, text, options, says):
    """Not that no column has labels where no row could be read; and a catalogue without labels is no traceback."""
    result = lookbook_import(shop(tmp_path, text), tmp_path / "out", *options)
    assert result.exit_code == 1 and says in result.output and isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("column", ["id", "Kennung 7"])
@pytest.mark.parametrize("ids", [range(100, 106), range(1, 7)], ids=["large", "small"])
def test_a_folder_for_each_product(tmp_path, column, ids):
    """The first picture in the folder that has a row's id as its name is the row's, and no other product's is."""
    source = tmp_path / "shop"
    for at, row_id in enumerate(ids):
        for number in (1, 2, 3, 10):
            photo(source / f"photos/{row_id}/{number}.jpg", 10 * at + number)
    rows = [f"{row_id},{TYPES[at % 3]}" for at, row_id in enumerate(ids)]
    (source / "a.csv").write_text("\n".join([f"{column},type", *rows, ""]))
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(row_id): TYPES[at % 3] for at, row_id in enumerate(ids)}
    for row_id in ids:
        written = (tmp_path / f"out/images/{row_id}.jpg").read_bytes()
        assert written in [one.read_bytes() for one in (source / f"photos/{row_id}").iterdir()]


def test_another_products_picture_is_not_taken_for_one_of_its_number(tmp_path):
    """Where the file of an id lies in the folder of another product, the row is told and not guessed at."""
    source = tmp_path / "shop"
    for number in range(1, 13):
        photo(source / f"3/{number}.jpg", number)
        photo(source / f"{number}/a.jpg", 20 + number)
    rows = [f"{row_id},{TYPES[row_id % 3]}" for row_id in range(1, 13)]
    (source / "a.csv").write_text("\n".join(["id,type", *rows, ""]))
    imported(source, tmp_path / "out")
    assert set(types_of(tmp_path / "out")) == {"3"}
    assert {reason for reason, _ in rejected(tmp_path / "out").values()} == {"several images"}
