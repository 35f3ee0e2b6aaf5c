"""What shops and researchers have, as they have it: ``lookbook import`` makes a catalogue of each."""

import json
import zipfile

import pandas as pd
import pytest

from components.catalogue.reading.rows import parse_rows
from schema import names
from tests.components.catalogue.importing.layouts import (
    TAXONOMY,
    TYPES,
    imported,
    lookbook_import,
    photo,
    rejected,
    sheet,
    styles,
)

LEVELS = (names.ARTICLE_TYPE_LABEL, names.SUB_CATEGORY_LABEL, names.MASTER_CATEGORY_LABEL)


@pytest.fixture
def taxonomy(tmp_path):
    path = tmp_path / "taxonomy.csv"
    path.write_text(TAXONOMY, encoding="utf-8")
    return path


def german(tmp_path):
    """Excel's CSV in Germany: semicolons, Windows-1252, a title above the header, an empty column."""
    source = tmp_path / "shop"
    rows = [
        {"Artikel-Nr.": f"{1001 + index}", "Bezeichnung": f"Größe {index}", "Warengruppe": TYPES[index % 3],
         "Farbe": "grün", "Geschlecht": "Damen", "Bild": f"Fotos\\Winter\\{index}.JPG", "Preis": f"1{index},90", "": ""}
        for index in range(6)
    ]  # fmt: skip
    text = "Artikelliste Winter;;;;;;;\r\n" + sheet(rows, ";")
    source.mkdir()
    (source / "Artikel.csv").write_bytes(text.encode("cp1252"))
    for index in range(6):
        photo(source / "Fotos" / "Winter" / f"{index}.jpg", index)
    photo(source / "Fotos" / "spare.jpg", 9)
    return source


def test_a_german_sheet_from_excel(tmp_path, taxonomy):
    """Columns are found by German names, pictures by Windows' paths, the upper levels by a taxonomy."""
    out = tmp_path / "out"
    told = imported(german(tmp_path), out, "--taxonomy", taxonomy)
    rows = styles(out)
    assert {key: rows["1001"][key] for key in (*LEVELS, names.PRODUCT_NAME, names.BASE_COLOUR, names.GENDER)} == {
        **dict(zip(LEVELS, ("Hemden", "Oberteile", "Bekleidung"), strict=True)),
        names.PRODUCT_NAME: "Größe 0",
        names.BASE_COLOUR: "grün",
        names.GENDER: "Damen",
    }
    assert told["taken"] == told["rows"] == len(rows) == 6
    assert told["pictures_without_row"] == ["Fotos/spare.jpg"]
    assert told["mapping"]["columns"] == {
        names.ID: "Artikel-Nr.", "picture": "Bild", names.ARTICLE_TYPE_LABEL: "Warengruppe", names.GENDER: "Geschlecht",
        names.BASE_COLOUR: "Farbe", names.PRODUCT_NAME: "Bezeichnung",
    }  # fmt: skip
    assert any("Windows-1252" in str(change) for change in told["changes"])
    assert any("Artikelliste Winter" in str(change) for change in told["changes"])


def test_the_mapping_that_was_used_can_be_changed_and_used_again(tmp_path, taxonomy):
    """What an import leaves reads the next sheet without a guess; what it says "" to is not guessed."""
    source, out = german(tmp_path), tmp_path / "out"
    imported(source, out, "--taxonomy", taxonomy)
    mapping = tmp_path / "mine.toml"
    text = (out / "mapping.toml").read_text(encoding="utf-8")
    mapping.write_text(text.replace('baseColour = "Farbe"', 'baseColour = ""').replace("Bezeichnung", "Farbe"))
    told = imported(source, tmp_path / "again", "--mapping", mapping)
    assert styles(tmp_path / "again")["1001"][names.PRODUCT_NAME] == "grün"
    assert names.BASE_COLOUR not in styles(tmp_path / "again")["1001"]
    assert set(told["why"].values()) == {"given"}
    (source / "Artikel.csv").rename(source / "Neu.csv")
    assert imported(source / "Neu.csv", tmp_path / "next", "--mapping", mapping)["taken"] == 6
    mapping.write_text(text.replace("[columns]", "[colums]"))
    result = lookbook_import(source, tmp_path / "third", "--mapping", mapping)
    assert result.exit_code == 1
    assert "colums" in result.output


def test_shopify_s_export(tmp_path):
    """The category's path gives the upper levels, rows of further pictures are told apart from faults."""
    rows = [
        {"Handle": handle, "Title": title, "Body (HTML)": "<p>Soft, warm</p>", "Vendor": "Acme",
         "Product Category": category, "Type": kind, "Variant SKU": sku, "Image Src": image, "Image Position": position}
        for handle, title, category, kind, sku, image, position in (
            ("blue-tee", "Blue Tee", "Apparel & Accessories > Clothing > Shirts & Tops", "T-Shirts", "T-1", "", "1"),
            ("blue-tee", "", "", "", "T-2", "https://cdn.shop.test/blue-tee-back.jpg?v=1", "2"),
            ("clog", "Clog", "Apparel & Accessories > Shoes", "Clogs", "C-1", "https://cdn.test/x/clog_1.jpg?v=2", "1"),
            ("mule", "Mule", "Apparel & Accessories > Shoes", "Mules", "M-1", "https://cdn.test/x/mule_1.jpg?v=2", "1"),
        )
    ]  # fmt: skip
    source, out = tmp_path / "products_export.csv", tmp_path / "out"
    source.write_text(sheet(rows), encoding="utf-8-sig")
    photo(tmp_path / "pictures" / "blue-tee.png", 1, "PNG")
    photo(tmp_path / "pictures" / "clog_1.jpg", 2)
    told = imported(source, out, "--pictures", tmp_path / "pictures")
    assert [styles(out)["clog"][level] for level in LEVELS] == ["Clogs", "Shoes", "Apparel & Accessories"]
    assert sorted(styles(out)) == ["blue-tee", "clog"]
    assert told["rejected"] == {"further row of a product": 1, "image not fetched": 1}
    assert "--fetch" in rejected(out)["products_export.csv:5"][1]


def test_woocommerce_s_export(tmp_path):
    """Its own kinds of products are no article types; of several paths the longest counts, of pictures the first."""
    rows = [
        {"ID": str(index), "Type": "simple", "SKU": f"W-{index}", "Name": f"Thing {index}", "Published": "1",
         "Categories": "Clothing, Clothing > Top, Clothing > Top > Hoodies" if index % 2 else "Clothing > Caps > Bobs",
         "Images": f"https://s.test/{index}.jpg, https://s.test/{index}-b.jpg"}
        for index in range(1, 5)
    ]  # fmt: skip
    source, out = tmp_path / "wc", tmp_path / "out"
    source.mkdir()
    (source / "wc-product-export.csv").write_text(sheet(rows), encoding="utf-8-sig")
    for index in range(1, 5):
        photo(source / "uploads" / f"{index}.jpg", index)
    told = imported(source, out)
    assert [styles(out)["1"][level] for level in LEVELS] == ["Hoodies", "Top", "Clothing"]
    assert told["mapping"]["columns"][names.ARTICLE_TYPE_LABEL] == "Categories[-1]"
    assert any("further pictures" in str(change) for change in told["changes"])


@pytest.mark.parametrize("wrapper", ["", "dataset/v2/"])
def test_class_folders_with_splits(tmp_path, taxonomy, wrapper):
    """The folder is the label, the split is kept, and names that come again get the whole path as their id."""
    source, out = tmp_path / "photos", tmp_path / "out"
    for seed, (split, kind) in enumerate((s, t) for s in ("train", "valid", "test") for t in TYPES):
        photo(source / f"{wrapper}{split}" / kind / "1.jpg", seed)
    photo(source / f"{wrapper}test" / "loose.jpg", 90)
    told = imported(source, out, "--taxonomy", taxonomy)
    rows = styles(out)
    assert {(row[names.SPLIT_COLUMN], row[names.ARTICLE_TYPE_LABEL]) for row in rows.values()} == {
        (split, kind) for split in names.SPLITS for kind in TYPES
    }
    assert len(rows) == 9
    assert told["rejected"] == {"empty label": 1}
    assert not parse_rows((out / names.STYLES_CSV).read_bytes()).rejected


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_hugging_face_s_image_folder(tmp_path, taxonomy, kind):
    """A metadata file in each split's folder names pictures beside it; a missing eval split is a part of training."""
    source, out = tmp_path / "hf", tmp_path / "out"
    for seed, split in enumerate(("train", "test")):
        rows = [{"file_name": f"img/{seed}{index}.png", "label": TYPES[index % 3]} for index in range(40)]
        for row in rows:
            photo(source / split / row["file_name"], 100 * seed + int(row["file_name"][4:-4]), "PNG")
        text = sheet(rows) if kind == "csv" else "\n".join(map(json.dumps, rows))
        (source / split / f"metadata.{kind}").write_text(text, encoding="utf-8")
    told = imported(source, out, "--taxonomy", taxonomy)
    splits = [row[names.SPLIT_COLUMN] for row in styles(out).values()]
    assert told["taken"] == 80
    assert splits.count(names.TEST) == 40
    assert 0 < splits.count(names.EVAL) < 15
    assert any("which the source lacks" in str(change) for change in told["changes"])


def test_coco_s_annotations(tmp_path, taxonomy):
    """A picture of one category is a row; one of several, or of none, is rejected with the reason."""
    source, out = tmp_path / "coco", tmp_path / "out"
    categories = [{"id": 3, "name": "Hemden", "supercategory": "Bekleidung"}, {"id": 5, "name": "Schuhe"}]
    for split in ("train2017", "val2017"):
        images = [{"id": index, "file_name": f"{split}-{index}.jpg"} for index in range(4)]
        pairs = ((0, 3), (0, 3), (1, 5), (2, 3), (2, 5))
        document = {
            "images": images,
            "annotations": [{"image_id": image, "category_id": category, "bbox": []} for image, category in pairs],
            "categories": categories,
        }
        (source / "annotations").mkdir(parents=True, exist_ok=True)
        (source / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))
        for index in range(4):
            photo(source / split / f"{split}-{index}.jpg", index)
    told = imported(source, out, "--taxonomy", taxonomy)
    rows = styles(out)
    assert sorted(rows) == ["train2017-0", "train2017-1", "val2017-0", "val2017-1"]
    assert rows["train2017-1"][names.MASTER_CATEGORY_LABEL] == "Schuhe"
    assert told["rejected"] == {"several labels": 2, "empty label": 2}


def test_parquet_with_pictures_inside(tmp_path, taxonomy):
    """Pictures come out of their cells, and class numbers get the names that Hugging Face stores beside them."""
    import pyarrow as pa
    from pyarrow import parquet

    source, out = tmp_path / "data", tmp_path / "out"
    source.mkdir()
    content = [photo(tmp_path / "p" / f"{index}.jpg", index).read_bytes() for index in range(6)]
    features = {"label": {"names": list(TYPES), "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    for split, rows in (("train", range(4)), ("test", range(4, 6))):
        cells = {
            "image": [{"bytes": content[index], "path": f"{index}.jpg"} for index in rows],
            "label": [index % 3 for index in rows],
        }
        told = {"huggingface": json.dumps({"info": {"features": features}})}
        parquet.write_table(pa.table(cells).replace_schema_metadata(told), source / f"{split}-00000-of-00001.parquet")
    imported(source, out, "--taxonomy", taxonomy)
    rows = styles(out)
    assert {row_id: row[names.ARTICLE_TYPE_LABEL] for row_id, row in rows.items()} == {
        str(index): TYPES[index % 3] for index in range(6)
    }
    assert (out / names.IMAGES_DIR / "5.jpg").read_bytes() == content[5]


def test_a_workbook_of_excel(tmp_path, taxonomy):
    """Numbers are ids, formulas without a value are rejected, and which of two worksheets is asked."""
    openpyxl = pytest.importorskip("openpyxl")
    source, out = tmp_path / "shop", tmp_path / "out"
    book = openpyxl.Workbook()
    rows = book.active
    rows.title = "Produkte"
    rows.append([None, None, None])
    rows.append(["SKU", " Produkttyp ", "Titel"])
    for index in range(4):
        rows.append([10001.0 + index, TYPES[index % 3], f"Ding {index}"])
        photo(source / "deep" / "er" / f"{10001 + index}.webp", index, "WEBP")
    rows.append(["=A3+4", TYPES[0], "gerechnet"])
    book.create_sheet("Preise").append(["SKU", "Preis"])
    book.save(source / "Artikel.xlsx")
    result = lookbook_import(source, out, "--taxonomy", taxonomy)
    assert result.exit_code == 1
    assert "--sheet 'Artikel.xlsx#Produkte'" in result.output
    imported(source, out, "--taxonomy", taxonomy, "--sheet", "Artikel.xlsx#Produkte")
    assert sorted(styles(out)) == ["10001", "10002", "10003", "10004"]
    assert rejected(out)["Artikel.xlsx#Produkte:7"] == (
        "unreadable row",
        "SKU: formula without a value; save the sheet in Excel once",
    )


@pytest.mark.parametrize(
    "kind", ["parquet", "bytes.parquet", "jsonl", "ends.jsonl", "json", "lines.json", "utf-16.json", "tsv"]
)
def test_every_kind_of_sheet_reads_alike(tmp_path, taxonomy, kind):
    """One table, however it is stored, is one catalogue."""
    source, out = tmp_path / "data", tmp_path / "out"
    source.mkdir()
    table = pd.DataFrame(
        {"sku": [f"A{index}" for index in range(4)], "product_type": [TYPES[index % 3] for index in range(4)],
         "image_path": [f"img/{index}.jpg" for index in range(4)]}
    )  # fmt: skip
    noted = table.assign(note="one\u2028two\x85three")
    write = {
        "parquet": lambda path: table.to_parquet(path),
        "bytes.parquet": lambda path: table.apply(lambda column: column.str.encode("utf-8")).to_parquet(path),
        "ends.jsonl": lambda path: noted.to_json(path, orient="records", lines=True, force_ascii=False),
        "lines.json": lambda path: table.to_json(path, orient="records", lines=True),
        "utf-16.json": lambda path: path.write_text(table.to_json(orient="records"), encoding="utf-16-le"),
        "jsonl": lambda path: table.to_json(path, orient="records", lines=True),
        "json": lambda path: table.to_json(path, orient="records"),
        "tsv": lambda path: table.to_csv(path, sep="\t", index=False),
    }
    write[kind](source / f"products.{kind}")
    for index in range(4):
        photo(source / "img" / f"{index}.jpg", index)
    imported(source, out, "--taxonomy", taxonomy)
    assert {row_id: row[names.ARTICLE_TYPE_LABEL] for row_id, row in styles(out).items()} == {
        f"A{index}": TYPES[index % 3] for index in range(4)
    }


def test_a_folder_around_a_zip(tmp_path):
    """A download is often a zip beside a text: who gives the folder is told to give the zip."""
    source = tmp_path / "download"
    source.mkdir()
    (source / "README.md").write_text("read me")
    with zipfile.ZipFile(source / "fashion.zip", "w") as archive:
        archive.writestr("styles.csv", "id,articleType\n")
    result = lookbook_import(source, tmp_path / "out")
    assert result.exit_code == 1
    assert "fashion.zip is packed" in result.output and "give its own path" in result.output
