"""Objects and lists in cells, as JSON and Python write them, are read as a document of them would be."""

import json

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, rejected, styles
from tests.components.catalogue.importing.test_odd_exports import RIGHT, ROWS, changes, lines, shop, types_of

TYPE, SUB, MASTER = names.ARTICLE_TYPE_LABEL, names.SUB_CATEGORY_LABEL, names.MASTER_CATEGORY_LABEL
MANY = range(24)
PYTHON = "line as Python writes it, which is no JSON"
LISTS = "column of lists, of which each is read as a path"


def quoted(text):
    """A cell of CSV that holds quotes and commas."""
    return '"' + text.replace('"', '""') + '"'


def levels(out):
    return [[row[level] for level in (MASTER, SUB, TYPE)] for row in styles(out).values()]


def test_paths_that_end_in_the_product_s_own_name(tmp_path):
    """Flipkart's lists of one path: where nearly all ends differ, the label is the part that comes again."""
    text = "uniq_id,product_name,product_category_tree,image\n"
    for i in MANY:
        tree = f"Clothing >> Women's Clothing >> {TYPES[i % 3]} >> Alisha {TYPES[i % 3]} {i}"
        address = json.dumps([f"http://img.test/x{i}-1.jpeg", f"http://img.test/x{i}-2.jpeg"])
        text += f"a{i},Nice {i},{quoted(json.dumps([tree]))},{quoted(address)}\n"
    told = imported(shop(tmp_path, text, stems=[f"a{i}" for i in MANY]), tmp_path / "out")
    assert types_of(tmp_path / "out") == {f"a{i}": TYPES[i % 3] for i in MANY}
    assert told["mapping"]["columns"][TYPE] == "product_category_tree[-2]"
    assert "own name" in told["why"][TYPE]
    assert set(map(tuple, levels(tmp_path / "out"))) == {("Clothing", "Women's Clothing", kind) for kind in TYPES}


def test_ends_of_which_most_differ_in_a_large_table(tmp_path):
    """Of hundreds of rows two for each end are no kinds: products of one name are in a shop more than once."""
    rows = [f"{i},Mode > Alles > {TYPES[i % 3]} > Thing {i * 2 // 3} {TYPES[i % 3]}" for i in range(240)]
    told = imported(shop(tmp_path, "\n".join(["id,category", *rows]), stems=MANY), tmp_path / "out")
    assert told["mapping"]["columns"][TYPE] == "category[-2]"
    assert types_of(tmp_path / "out") == {str(i): TYPES[i % 3] for i in MANY}


def test_a_few_paths_show_no_names_at_their_ends(tmp_path):
    """Six products of six kinds: each end is a kind, for nothing shows that it is a name."""
    imported(shop(tmp_path, lines("id,category", "{i},Mode > {type} > {type} {i}")), tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(i): f"{TYPES[i % 3]} {i}" for i in ROWS}


@pytest.mark.parametrize("write", [json.dumps, repr])
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx"])
def test_objects_in_cells(tmp_path, write, name):
    """VIA's regions: a label is what the object tells, never the object's text, and a row that holds none is told."""
    rows = [[f"{i}.jpg", "{}", write({"name": "rect", "x": i}), write({"type": TYPES[i % 3]})] for i in MANY]
    rows[5][3] = "Hemden"
    head = ["filename", "file_attributes", "region_shape_attributes", "region_attributes"]
    source = shop(tmp_path, "", "a.csv", stems=MANY)
    (source / "a.csv").unlink()
    if name == "a.csv":
        (source / name).write_text("\n".join([",".join(head), *(",".join(map(quoted, row)) for row in rows)]))
    else:
        import pandas

        frame = pandas.DataFrame(rows, columns=head)
        frame.to_parquet(source / name) if name == "a.parquet" else frame.to_excel(source / name, index=False)
    told = imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(i): TYPES[i % 3] for i in MANY if i != 5}
    assert told["mapping"]["columns"][TYPE] == "region_attributes.type"
    assert "column of objects, read as columns" in changes(told)
    ((reason, detail),) = rejected(tmp_path / "out").values()
    assert reason == "unreadable row" and "no object, as in other rows, but 'Hemden'" in detail


@pytest.mark.parametrize("end", [".json", ".jsonl"])
def test_lines_that_python_has_printed(tmp_path, end):
    """Amazon's metadata: objects of Python in place of JSON, with lists of paths; and nothing in them is reckoned."""
    rows = [
        {"asin": f"B{i}", "title": "It's", "a": None, "categories": [["Clothing, Shoes; Bags", "Women", TYPES[i % 3]]]}
        for i in ROWS
    ]
    source = shop(tmp_path, "\n".join(map(repr, rows)), f"meta{end}", stems=[f"B{i}" for i in ROWS])
    told = imported(source, tmp_path / "out")
    assert levels(tmp_path / "out") == [["Clothing, Shoes; Bags", "Women", TYPES[i % 3]] for i in ROWS]
    assert {PYTHON, LISTS} <= set(changes(told)), told
    assert len(changes(told)[PYTHON]) == 5
    for line in (
        "{'asin': 1+1}",
        "{'asin': 'a', 'asin': 'b'}",
        "{'asin': open('x')}",
        "{'asin': " + "[" * 500 + "]" * 500 + "}",
        "{'a': 'b" * 99999,
    ):
        (source / f"meta{end}").write_text("\n".join([*map(repr, rows), line]))
        result = lookbook_import(source, tmp_path / "hostile")
        if end == ".json":
            assert result.exit_code == 1 and "is no JSON" in result.output
        else:
            ((_, detail),) = rejected(tmp_path / "hostile").values()
            assert result.exit_code == 0 and detail.startswith("no JSON")


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ([["Mode", "Oben", "{type}"], ["Mode", "Alles"]], ["Mode", "Oben", "{type}"]),
        (["Mode, Schuhe", "Oben", "{type}"], ["Mode, Schuhe", "Oben", "{type}"]),
        (["{odd} & Co", "{odd}-Oben", "{odd}{type}"], ["{odd} & Co", "{odd}-Oben", "{odd}{type}"]),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_lists_that_are_paths(tmp_path, cell, right, name):
    """A list under a name of categories is a path where all rows show it, whatever signs are in its names."""
    filled = [json.dumps(cell).replace("{type}", TYPES[i % 3]).replace("{odd}", f"A{i % 2}") for i in MANY]
    if name == "a.csv":
        text = "\n".join(["id,categories", *(f"{i},{quoted(filled[i])}" for i in MANY)])
    else:
        text = json.dumps([{"id": i, "categories": json.loads(filled[i])} for i in MANY])
    told = imported(shop(tmp_path, text, name, stems=MANY), tmp_path / "out")
    expected = [[one.replace("{type}", TYPES[i % 3]).replace("{odd}", f"A{i % 2}") for one in right] for i in MANY]
    assert sorted(levels(tmp_path / "out")) == sorted(expected)
    assert changes(told)[LISTS] == ["categories"]


@pytest.mark.parametrize(("beside", "label"), [(["Sale"], "{type}"), (["Sale", "Neu"], "{type} | {more}")])
def test_lists_that_are_no_paths(tmp_path, beside, label):
    """Labels beside each other stay so: the one that other rows have alone counts, as ever, or all of them."""
    further = [[beside[i // 3 % 2]] if len(beside) > 1 else beside[: i // 12] for i in MANY]
    rows = [{"id": i, "categories": [TYPES[i % 3], *further[i]]} for i in MANY]
    told = imported(shop(tmp_path, json.dumps(rows), "a.json", stems=MANY), tmp_path / "out")
    right = {str(i): label.format(type=TYPES[i % 3], more="".join(further[i])) for i in MANY}
    assert types_of(tmp_path / "out") == right
    assert LISTS not in changes(told)


def test_lists_further_down_than_is_looked(tmp_path):
    """Where a list comes after thousands of texts, it is read as one, and its brackets are no label."""
    rows = [{"id": i, "categories": [TYPES[i % 3]] if i == 1200 else TYPES[i % 3]} for i in range(1201)]
    source = shop(tmp_path, json.dumps(rows), "a.json", stems=[*ROWS, 1200])
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == {**RIGHT, "1200": TYPES[0]}


def test_objects_of_very_many_keys_stay_a_text(tmp_path):
    """Objects that are named by ids of their own would be columns without end."""
    text = "\n".join(["id,type,sizes", *(f"{i},{TYPES[i % 3]},{quoted(json.dumps({f'{i}-{k}': 1 for k in range(400)}))}"
                                         for i in ROWS)])  # fmt: skip
    imported(shop(tmp_path, text), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT


def test_pictures_in_lists_are_read_as_ever(tmp_path):
    """A list of files with commas in their names is one of pictures."""
    source = tmp_path / "shop"
    for i in ROWS:
        photo(source / f"{i}, front.jpg", i)
    text = [f"{i},{TYPES[i % 3]},{quoted(json.dumps([f'{i}, front.jpg', 'x.jpg']))}" for i in ROWS]
    (source / "a.csv").write_text("\n".join(["id,type,images", *text]))
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
