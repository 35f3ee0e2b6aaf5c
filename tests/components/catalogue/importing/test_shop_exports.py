"""Exports of shops and market places, as their tools write them, and what tools do to them on the way."""

import datetime
import json
import zipfile

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import (
    TYPES,
    imported,
    lookbook_import,
    photo,
    rejected,
    sheet,
    styles,
)

TYPE, SUB, MASTER = names.ARTICLE_TYPE_LABEL, names.SUB_CATEGORY_LABEL, names.MASTER_CATEGORY_LABEL


def types_of(out):
    return {row_id: row[TYPE] for row_id, row in styles(out).items()}


def pictures(folder, *stems):
    for seed, stem in enumerate(stems):
        photo(folder / f"{stem}.jpg", seed)


def changes(told):
    return " ".join(change["what"] for change in told["changes"])


@pytest.mark.parametrize("suffix", ["txt", "tsv"])
def test_amazon_s_flat_file(tmp_path, suffix):
    """Tabs below a line of settings; the second header, of machines, is a row without a picture, and told."""
    source, out = tmp_path / "amazon", tmp_path / "out"
    lines = [
        "TemplateType=fptcustom\tVersion=2021.0812",
        "Product Type\tSeller SKU\tProduct Name\tProduct ID\tMain Image URL\tDepartment",
        "feed_product_type\titem_sku\titem_name\texternal_product_id\tmain_image_url\tdepartment_name",
        *(f"{TYPES[i % 3]}\tSKU-{i}\tThing {i}\t400{i}\thttps://m.test/I/{i}.jpg\tmens" for i in range(6)),
    ]
    pictures(source / "I", *range(6))
    (source / f"flat.{suffix}").write_text("\n".join(lines), encoding="utf-8")
    (source / "readme.txt").write_text("Photos of the autumn, by Ann.\nNot for print.\n")
    told = imported(source, out)
    assert types_of(out) == {f"SKU-{i}": TYPES[i % 3] for i in range(6)}
    assert told["rejected"] == {"missing image": 1}
    assert "row above the header, passed over" in changes(told)


def test_magento_s_export(tmp_path):
    """The base image counts, its own kinds of products are no types, and what all paths begin with is no level."""
    source, out = tmp_path / "magento", tmp_path / "out"
    source.mkdir()
    rows = [
        {"sku": f"MH0{i}", "product_type": "simple", "categories": f"Default Category/Men/{TYPES[i % 3]}",
         "name": f"Hoodie {i}", "base_image": f"/m/h/mh0{i}.jpg", "additional_images": f"/m/h/mh0{i}_alt.jpg"}
        for i in range(6)
    ]  # fmt: skip
    (source / "catalog_product.csv").write_text(sheet(rows))
    pictures(source / "media" / "m" / "h", *(f"mh0{i}" for i in range(6)))
    told = imported(source, out)
    assert types_of(out) == {f"MH0{i}": TYPES[i % 3] for i in range(6)}
    assert told["mapping"]["columns"][MASTER] == "categories[/2]"


def test_google_s_feed(tmp_path):
    """As tabs it is read, zeros before ids included; as XML it is refused by its name, also when it is named itself."""
    source, out = tmp_path / "google", tmp_path / "out"
    source.mkdir()
    rows = [
        {"id": f"{i:05d}", "title": f"T {i}", "image_link": f"https://s.test/i/{i:05d}.jpg", "gtin": f"40{i}",
         "google_product_category": str(1604 + i % 3), "product_type": f"Women > {TYPES[i % 3]}"}
        for i in range(6)
    ]  # fmt: skip
    pictures(source, *(f"{i:05d}" for i in range(6)))
    (source / "feed.xml").write_text("<rss><channel/></rss>")
    for given in (source, source / "feed.xml"):
        result = lookbook_import(given, out)
        assert result.exit_code == 1
        assert "feed.xml" in result.output and "Parquet" in result.output
    (source / "feed.tsv").write_text(sheet(rows, "\t"))
    told = imported(source, out)
    assert types_of(out) == {f"{i:05d}": TYPES[i % 3] for i in range(6)}
    assert told["mapping"]["columns"][MASTER] == "product_type[1]"
    assert SUB not in styles(out)["00001"], "of a path of two parts the second is the type, and not both"


@pytest.mark.parametrize("wrapped", [True, False])
def test_json_with_objects_in_objects(tmp_path, wrapped):
    """Fields are found however deep they lie, a list of objects gives the values side by side, and the first counts."""
    source, out = tmp_path / "api", tmp_path / "out"
    source.mkdir()
    items = [
        {"articleId": f"A{i}", "model": {"group": {"name": TYPES[i % 3]}},
         "configs": [{"attributes": {"media": [{"url": f"https://m.test/{i}.jpg"}, {"url": f"https://m.test/{i}b.jpg"}]}}]}
        for i in range(6)
    ]  # fmt: skip
    (source / "articles.json").write_text(json.dumps({"merchant": "m", "items": items} if wrapped else items))
    pictures(source, *range(6))
    told = imported(source, out)
    assert types_of(out) == {f"A{i}": TYPES[i % 3] for i in range(6)}
    assert told["mapping"]["columns"]["picture"] == "configs.attributes.media.url"
    assert "further pictures" in changes(told)


@pytest.mark.parametrize(
    ("encoding", "says"),
    [
        ("utf-16", ""), ("utf-16-le", ""), ("utf-8-sig", ""), ("cp1252", ""), ("mac_roman", "save it as UTF-8"),
        ("utf-32", "plain text in UTF-8"),
    ],
)  # fmt: skip
def test_german_sheets_in_every_encoding(tmp_path, encoding, says):
    """Read as they were written, or refused: an old Mac's umlauts never become letters that nobody wrote."""
    source, out = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    labels = ("Röcke", "Blusen", "Mäntel")
    rows = [{"Artikel": str(i), "Kategorie": labels[i % 3], "Name": "Größe – „schön“"} for i in range(6)]
    (source / "a.csv").write_bytes(sheet(rows, ";").encode(encoding))
    pictures(source, *range(6))
    if says:
        result = lookbook_import(source, out)
        assert result.exit_code == 1 and says in result.output
        assert "Ršcke" not in result.output.partition("would read")[0]
        return
    imported(source, out)
    assert types_of(out) == {str(i): labels[i % 3] for i in range(6)}
    assert styles(out)["1"][names.PRODUCT_NAME] == "Größe – „schön“"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_ends_of_lines_and_quotes_around_them(tmp_path, end):
    """Old Macs', Unix's and Windows' ends are read alike, in a quoted name too, behind a byte order mark."""
    source, out = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    text = "id,type,title\r\n" + "".join(f'{i:03d},{TYPES[i % 3]},"one{end}two"\r\n' for i in range(6))
    (source / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\r\n", end).encode())
    pictures(source, *(f"{i:03d}" for i in range(6)))
    imported(source, out)
    assert types_of(out) == {f"{i:03d}": TYPES[i % 3] for i in range(6)}


def test_ids_that_are_hard_to_keep(tmp_path):
    """Zeros stay, long ids stay apart, nothing leads out, and a number that a spreadsheet has rounded is told."""
    source, out = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    ids = ["007", "1.23E+12", "1,23E+11", "x" * 240, "x" * 239 + "y", "a/b", "../up", "..", "CON", "Ä1", "ä1", "9?"]
    rows = [{"sku": one, "type": TYPES[i % 3], "image": f"p{i}.jpg"} for i, one in enumerate(ids)]
    (source / "a.csv").write_text(sheet(rows, ";"))
    pictures(source, *(f"p{i}" for i in range(len(ids))))
    told = imported(source, out)
    assert len(styles(out)) == len(ids) and "007" in styles(out)
    assert all("/" not in one and not one.startswith(".") for one in styles(out))
    (rounded,) = [change for change in told["changes"] if "rounded" in change["what"]]
    assert rounded["count"] == 2 and "1.23E+12" in rounded["examples"][0]
    assert not list(tmp_path.glob("up*"))


def test_zeros_that_a_spreadsheet_took(tmp_path):
    """7 finds 007.jpg where no other row or picture can be meant, and that is told; else it is a missing picture."""
    source, out = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    ids = ("7", "008", "8", "9", "10")
    (source / "a.csv").write_text(sheet([{"sku": one, "type": TYPES[i % 3]} for i, one in enumerate(ids)]))
    pictures(source, "007", "008", "0010", "00010", "9")
    told = imported(source, out)
    assert sorted(styles(out)) == ["008", "7", "9"]
    assert told["rejected"] == {"missing image": 2}, "008 is another row's, and two are alike to 10"
    assert "picture of a name that is only alike" in changes(told)


def test_labels_of_all_kinds_are_kept(tmp_path):
    """Case twins, commas, quotes, emoji, Arabic, one letter, markup and formulas are labels as they stand."""
    source, out = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    labels = ["Hemd", "hemd", "A, B", 'say "x"', "👗", "قميص", "X", "Tops &amp; Co", "<b>", "=1+1", "1/2"] * 2
    cells = ['"' + label.replace('"', '""') + '"' for label in labels]
    (source / "a.csv").write_text("id,label\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    pictures(source, *range(len(labels)))
    imported(source, out)
    assert types_of(out) == {str(i): label.replace("&amp;", "&") for i, label in enumerate(labels)}


def test_a_zip_from_a_mac_and_a_header_that_comes_twice(tmp_path):
    """What systems add is no file of the shop; of two columns of one name the first counts, and both are told."""
    source, out = tmp_path / "shop.zip", tmp_path / "out"
    rows = "".join(f"{i},{TYPES[i % 3]},x{i}\n" for i in range(6))
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("shop/a.csv", f"id,type,type\n{rows}")
        for name in ("__MACOSX/shop/._a.csv", "shop/.DS_Store", "shop/Thumbs.db", "shop/desktop.ini", "shop/~$a.xlsx"):
            archive.writestr(name, b"\0\5\x16\7")
        for name in ("shop/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg", "#recycle/0.jpg", "$RECYCLE.BIN/b.csv"):
            archive.writestr(name, b"id,type\n")
        for i in range(6):
            archive.writestr(f"shop/{i}.jpg", photo(tmp_path / f"{i}.jpg", i).read_bytes())
            archive.writestr(f"__MACOSX/shop/._{i}.jpg", b"\0\5\x16\7")
    told = imported(source, out)
    assert types_of(out) == {str(i): TYPES[i % 3] for i in range(6)}
    assert "column of a name that is taken" in changes(told)
    assert not told["pictures_without_row"]


@pytest.mark.parametrize("folder", ["JPEGImages", "img", "train/images"])
def test_one_folder_is_no_class(tmp_path, folder):
    """Pictures beside annotations of a kind that is not read make no catalogue of one class, but an error."""
    source = tmp_path / "voc"
    pictures(source / folder, *range(4))
    (source / "Annotations").mkdir()
    (source / "Annotations" / "0.xml").write_text("<annotation/>")
    result = lookbook_import(source, tmp_path / "out")
    assert result.exit_code == 1
    assert "all pictures lie in one folder" in result.output and "Annotations/0.xml" in result.output
    assert not (tmp_path / "out").exists()


def test_a_link_or_an_archive_of_the_pictures_is_named_where_it_is_missed(tmp_path):
    """A link is not followed, an archive not opened; without their pictures the error says why and what to give."""
    source = tmp_path / "shop"
    source.mkdir()
    pictures(tmp_path / "elsewhere", *range(3))
    (source / "a.csv").write_text(sheet([{"id": str(i), "type": TYPES[i]} for i in range(3)]))
    (source / "photos").symlink_to(tmp_path / "elsewhere")
    result = lookbook_import(source, tmp_path / "out")
    assert result.exit_code == 1
    assert "photos/; give --pictures" in result.output
    imported(source, tmp_path / "there", "--pictures", tmp_path / "elsewhere")
    (source / "photos").unlink()
    with zipfile.ZipFile(source / "photos.zip", "w") as archive:
        for file in (tmp_path / "elsewhere").iterdir():
            archive.write(file, file.name)
    result = lookbook_import(source, tmp_path / "out")
    assert "photos.zip; give --pictures" in result.output
    imported(source, tmp_path / "packed", "--pictures", source / "photos.zip")


def test_a_workbook_with_titles_merged_and_hidden_cells(tmp_path):
    """The header is found below titles, hidden rows and columns are read, hidden worksheets are no question, and a
    formula without a value costs its row only where its column is of use."""
    openpyxl = pytest.importorskip("openpyxl")
    source, out = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Sortiment"
    page["A1"], page["A3"], page["B3"] = "Herbst 2026", "Stand", datetime.date(2026, 11, 1)
    page.merge_cells("A1:E1")
    page.append([])
    page.append(["Gruppe", "SKU", "Typ", "Titel", "Netto"])
    for i in range(6):
        title = "=A1" if i == 2 else f"T{i}"
        page.append(["Oben" if i == 0 else None, datetime.date(2026, 1, 6) if i == 5 else f"{i:03d}", TYPES[i % 3],
                     title, "=1+1", ("Herren_x000D_", None, None, "Damen")[i] if i < 4 else None])  # fmt: skip
    page.merge_cells("A6:A11")
    page["F5"] = "Geschlecht"
    page.merge_cells("F6:F8")
    page.merge_cells("F9:F11")
    page.column_dimensions["C"].hidden = page.row_dimensions[7].hidden = True
    hidden = book.create_sheet("Preise")
    hidden.append(["x", "y"])
    hidden.sheet_state = "hidden"
    book.save(source / "s.xlsx")
    pictures(source, *(f"{i:03d}" for i in range(5)), "2026-01-06")
    told = imported(source, out)
    assert types_of(out) == {
        "000": "Hemden", "001": "Blusen", "003": "Hemden", "004": "Blusen", "2026-01-06": "Schuhe",
    }  # fmt: skip
    assert rejected(out)["s.xlsx#Sortiment:8"][1].startswith("Titel: formula without a value")
    assert "row above the header, passed over" in changes(told) and "merged with the one above" in changes(told)
    genders = {row_id: row["gender"] for row_id, row in styles(out).items()}
    assert genders == dict.fromkeys(("000", "001"), "Herren") | dict.fromkeys(("003", "004", "2026-01-06"), "Damen")


@pytest.mark.parametrize("told_by", ["README.md", "dataset_infos.json", ""])
def test_class_numbers_that_are_named_beside_the_data(tmp_path, told_by):
    """Hugging Face has names in the head of README.md, or in a JSON file; where none are, numbers are labels."""
    import pyarrow as pa
    from pyarrow import parquet

    source, out = tmp_path / "data", tmp_path / "out"
    source.mkdir()
    content = [photo(tmp_path / f"{i}.jpg", i).read_bytes() for i in range(6)]
    cells = {"image": [{"bytes": one, "path": None} for one in content], "label": [i % 3 for i in range(6)]}
    parquet.write_table(pa.table(cells), source / "train-00000-of-00001.parquet")
    numbered = "".join(f"          '{i}': {kind}\n" for i, kind in enumerate(TYPES))
    readme = (
        "---\ndataset_info:\n  features:\n  - name: image\n    dtype: image\n  - name: label\n    dtype:\n"
        f"      class_label:\n        names:\n{numbered}---\n# Photos\n"
    )
    infos = {"default": {"features": {"label": {"names": list(TYPES), "_type": "ClassLabel"}}}}
    (source / "README.md").write_text(readme if told_by == "README.md" else "---\ndataset_info: [\n---\n")
    if told_by == "dataset_infos.json":
        (source / told_by).write_text(json.dumps(infos))
    imported(source, out)
    assert set(types_of(out).values()) == (set(TYPES) if told_by else {"0", "1", "2"})
