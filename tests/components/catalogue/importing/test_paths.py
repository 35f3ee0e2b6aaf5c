"""Categories as paths, by whatever sign; and signs that stand in names and part nothing."""

import json

import pytest

from components.catalogue.importing.columns import looks
from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, styles

ROWS = range(6)
LEVELS = (names.MASTER_CATEGORY_LABEL, names.SUB_CATEGORY_LABEL, names.ARTICLE_TYPE_LABEL)
WAYS = tuple(("Damen", "Herren")[i % 2] for i in ROWS)


def shop(tmp_path, cells, head="id;categories"):
    """A sheet with a cell of categories a row."""
    source = tmp_path / "shop"
    for i in ROWS:
        photo(source / f"{i}.jpg", i)
    lines = [f"{i};{cell}" for i, cell in zip(ROWS, cells, strict=True)]
    (source / "a.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return source


def labels(out):
    return [[row.get(level) for level in LEVELS] for row in styles(out).values()]


@pytest.mark.parametrize(
    "path",
    [
        "Default Category/{way}/Oben/{type},Default Category/Sale",
        "Default Category,Default Category/{way},Default Category/{way}/Oben/{type}",
        "{way}/Oben/{type}",
        "/{way}/Oben/{type},/sale",
        "Home|{way}|Oben|{type}",
        '"Home, {way}, Oben, {type}"',
        '"Home/{way}/Oben/{type}; Home/Neu"',
        '"Mode > {way} > Oben > {type}"',
        '"{way} > Oben > {type}; Sale"',
        '"{way} > Oben > {type}, Sale"',
        '"Sale, {way} > Oben > {type}, {way}"',
    ],
)
def test_a_column_shows_what_its_paths_are_parted_by(tmp_path, path):
    """Where all grow from one root, or each is three deep, any sign parts them; the root itself is no level."""
    cells = [path.format(type=TYPES[i % 3], way=WAYS[i]) for i in ROWS]
    imported(shop(tmp_path, cells), tmp_path / "out")
    assert labels(tmp_path / "out") == [[WAYS[i], "Oben", TYPES[i % 3]] for i in ROWS]


@pytest.mark.parametrize(
    "kinds",
    [
        ("Bags/Wallets", "Tops/Shirts", "Shoes"),
        ("Bags/Wallets", "Bags/Backpacks", "Bags/Totes"),
        ("Coats", "Coats/Jackets/Blazers", "Shoes"),
        ("Hats, Caps", "Hats, Berets", "Hats, Scarves"),
        ("Hats, Caps", "Gloves, Scarves, Shawls", "1/2"),
        ("S|M", "S|L", "XL"),
        ("Shirts/Blouses/Tops", "Coats/Jackets/Blazers", "Hats/Caps/Beanies"),
        ("Dress, blue", "Dress, red, long", "Dress"),
        ("Jacket/Coat/Blazer", "Jacket", "Jacket/Coat"),
    ],
)
def test_a_sign_in_a_name_parts_nothing(tmp_path, kinds):
    """A label of two names, or of three among others, is one label and stays as it stands."""
    cells = [f'"{kinds[i % 3]}"' for i in ROWS]
    imported(shop(tmp_path, cells), tmp_path / "out")
    assert labels(tmp_path / "out") == [[None, None, kinds[i % 3]] for i in ROWS]


def test_a_comma_in_the_end_of_a_path_parts_nothing(tmp_path):
    """Where one end alone has the words behind the comma, they are of its name; ``\\,`` says so of any."""
    kinds = ("Jacken, Mäntel", "Hosen, Mäntel", "Hemden")
    imported(
        shop(tmp_path, [f'"{WAYS[i]} > Oben > {kinds[i % 3]}"' for i in ROWS], head="id;category"), tmp_path / "out"
    )
    assert labels(tmp_path / "out") == [[WAYS[i], "Oben", kinds[i % 3]] for i in ROWS]
    told = [f'"Sale, {WAYS[i]} > Oben > {kinds[i % 3]}"'.replace("n, ", "n\\, ") for i in ROWS]
    imported(shop(tmp_path, told, head="id;category"), tmp_path / "told")
    assert labels(tmp_path / "told") == labels(tmp_path / "out")
    imported(shop(tmp_path, [f'"{WAYS[i]} > Oben > {kinds[i % 3]}"' for i in ROWS]), tmp_path / "several")
    assert labels(tmp_path / "several")[0] == [WAYS[0], "Oben", "Jacken"], "a column of categories has several"


def test_what_is_parted_by_can_be_given(tmp_path):
    """What a column does not show, a person may know: the sign stands before the number of the part."""
    source = shop(tmp_path, [f"{WAYS[i]}/{TYPES[i % 3]}" for i in ROWS])
    options = ("--article-type", "categories[/-1]", "--master-category", "categories[/1]")
    imported(source, tmp_path / "out", *options)
    assert labels(tmp_path / "out") == [[WAYS[i], None, TYPES[i % 3]] for i in ROWS]
    imported(source, tmp_path / "again", "--mapping", tmp_path / "out" / "mapping.toml")
    assert labels(tmp_path / "again") == labels(tmp_path / "out")
    result = lookbook_import(source, tmp_path / "other", "--article-type", "categories[:1]")
    assert result.exit_code == 1 and "categories[:1]" in result.output


def test_a_row_far_down_tells_what_paths_are(tmp_path, monkeypatch):
    """A root that all of the first rows share is a level if a later row has another; so with a slash in a name."""
    monkeypatch.setattr(looks, "ROWS", 4)
    cells = (
        ["Damen > Mode > Oben > Hemden"] * 2
        + ["Damen > Mode > Unten > Hosen"] * 2
        + ["Herren > Schuh > Alle > Stiefel"] * 2
    )
    imported(shop(tmp_path, cells), tmp_path / "out")
    assert [labels(tmp_path / "out")[i][0] for i in (0, 5)] == ["Damen", "Herren"]
    (tmp_path / "2").mkdir()
    slashes = ["Bags/Totes/Leather", "Bags/Totes/Canvas"] * 2 + ["Shirts/Blouses", "Coats"]
    imported(shop(tmp_path / "2", slashes), tmp_path / "whole")
    assert [kind for _, _, kind in labels(tmp_path / "whole")] == slashes


def test_a_path_that_few_rows_have_is_not_the_label(tmp_path):
    """A shop's own type, filled in once, does not stand before the category that all rows have."""
    cells = [f"{'Mode > Alles' if i == 1 else ''};Mode > Oben > {TYPES[i % 3]}" for i in ROWS]
    imported(shop(tmp_path, cells, head="id;product_type;google_product_category"), tmp_path / "out")
    assert [kind for _, _, kind in labels(tmp_path / "out")] == [TYPES[i % 3] for i in ROWS]


def test_a_list_of_json_from_one_root_is_a_path(tmp_path):
    """Crumbs of a shop's page, as they are scraped, are its levels."""
    source = shop(tmp_path, ["x"] * len(ROWS))
    (source / "a.csv").unlink()
    rows = [{"id": str(i), "categories": ["Mode", WAYS[i], "Oben", TYPES[i % 3]]} for i in ROWS]
    (source / "a.json").write_text(json.dumps(rows))
    imported(source, tmp_path / "out")
    assert labels(tmp_path / "out") == [[WAYS[i], "Oben", TYPES[i % 3]] for i in ROWS]


def test_of_a_list_the_label_that_others_have_alone(tmp_path):
    """A shirt on sale is a shirt; what is two things at once is rejected, and a list that nothing explains stays."""
    cells = ("Hemden", '"Sale;Hemden"', "Hosen", "Hosen|Sale", '"Hemden; Hosen"', '"S;M"')
    told = imported(shop(tmp_path, cells), tmp_path / "out")
    assert [kind for _, _, kind in labels(tmp_path / "out")] == ["Hemden", "Hemden", "Hosen", "Hosen", "S;M"]
    assert told["rejected"] == {"several labels": 1}
    (further,) = [change for change in told["changes"] if "further categories" in change["what"]]
    assert further["examples"] == ["a.csv:3: Sale", "a.csv:5: Sale"]


@pytest.mark.parametrize("column", ["category", "articleType"])
def test_a_list_of_levels_stays_whole(tmp_path, column):
    """``Kleidung|Hemd`` beside ``Kleidung`` is two levels of one product, and not a shirt that is no shirt."""
    cells = ("Kleidung|Hemd", "Kleidung|Kleid", "Schuhe|Stiefel", "Kleidung", "Schuhe", "Kleidung|Hemd")
    imported(shop(tmp_path, cells, head=f"id;{column}"), tmp_path / "out")
    assert [kind for _, _, kind in labels(tmp_path / "out")] == list(cells)
