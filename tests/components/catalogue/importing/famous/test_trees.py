"""Documents that are trees: one for each picture, objects by the ids of pictures, and XML."""

import json

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, rejected, styles
from tests.components.catalogue.importing.test_odd_exports import RIGHT, ROWS, shop, types_of

TYPE, MASTER, COLOUR = names.ARTICLE_TYPE_LABEL, names.MASTER_CATEGORY_LABEL, names.BASE_COLOUR
FEED = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title><link>https://a.test</link>{}
</channel></rss>"""
ITEM = """<item><g:id>{i}</g:id><title><![CDATA[Thing {i} <b>]]></title><g:image_link>https://a.test/x{i}.jpg</g:image_link>
<g:additional_image_link>https://a.test/b.jpg</g:additional_image_link><g:price currency="EUR">9</g:price>
<g:additional_image_link>https://a.test/c.jpg</g:additional_image_link>
<g:product_type>Mode &amp; Mehr &gt; {type}</g:product_type></item>"""
PRODUCT = '<product sku="{i}"><kind>{type}</kind><colour>rot</colour><images><image>a</image><image>b</image></images>'
BOX = "<object><name>{}</name><pose>Left</pose><bndbox><xmin>1</xmin></bndbox></object>"


def feed(encoding="utf-8"):
    return FEED.replace("{encoding}", encoding).format("".join(ITEM.format(i=i, type=TYPES[i % 3]) for i in ROWS))


def annotated(folder, documents, end=".json", split="train", first=0):
    """A folder of pictures beside one of a document for each."""
    for at, document in enumerate(documents, first):
        photo(folder / split / "image" / f"{at:06d}.jpg", at)
        annotations = folder / split / "annos"
        annotations.mkdir(exist_ok=True, parents=True)
        (annotations / f"{at:06d}{end}").write_text(json.dumps(document) if end == ".json" else document)


def test_a_document_without_the_name_of_its_picture(tmp_path):
    """DeepFashion2's: the picture has the document's name; one of several things that differ is of neither label."""
    things = [
        {f"item{1 + i % 2}": {"category_id": i % 3, "category_name": TYPES[i % 3]}, "pair_id": 7} for i in range(8)
    ]
    things[3] = {"item1": {"category_name": TYPES[0]}, "item2": {"category_name": TYPES[1]}}
    things[4] = {"item1": {"category_name": TYPES[2]}, "item2": {"category_name": TYPES[2]}}
    annotated(tmp_path / "shop", things)
    imported(tmp_path / "shop", tmp_path / "out")
    right = {f"{i:06d}": TYPES[2 if i == 4 else i % 3] for i in range(8) if i != 3}
    assert types_of(tmp_path / "out") == right
    assert [reason for reason, _ in rejected(tmp_path / "out").values()] == ["several labels"]


def test_documents_of_splits(tmp_path):
    """Each split has documents of the same names: each is of the picture in its own split."""
    for seed, split in enumerate(("train", "validation")):
        annotated(tmp_path / "shop", [{"item1": {"category_name": TYPES[(i + seed) % 3]}} for i in ROWS], split=split)
    imported(tmp_path / "shop", tmp_path / "out")
    rows = [(row[names.SPLIT_COLUMN] == "eval", row[TYPE]) for row in styles(tmp_path / "out").values()]
    assert len(rows) == 12 and sorted({kind for is_eval, kind in rows if is_eval}) == sorted(TYPES)
    assert types_of(tmp_path / "out")["validation_image_000000"] == TYPES[1]


@pytest.mark.parametrize("inside", ["", "items"])
def test_objects_by_the_ids_of_pictures(tmp_path, inside):
    """Polyvore's: keys that are ids and not names of files are of pictures where these are called so."""
    rows = {str(200 + i): {"title": f"Thing {i}", "semantic_category": "x", "kind": TYPES[i % 3]} for i in ROWS}
    del rows["203"]["semantic_category"]
    document = {inside: rows, "about": {"a": 1}} if inside else rows
    imported(shop(tmp_path, json.dumps(document), "items.json", stems=[200 + i for i in ROWS]), tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(200 + i): TYPES[i % 3] for i in ROWS}


def test_columns_by_numbers_are_no_rows(tmp_path):
    """What pandas writes by columns has the numbers of rows inside, though pictures are called like them."""
    document = {"0": {str(i): TYPES[i % 3] for i in ROWS}, "1": {str(i): "x" for i in ROWS}}
    result = lookbook_import(shop(tmp_path, json.dumps(document), "a.json"), tmp_path / "out")
    assert result.exit_code == 1 and "neither a styles.csv" in result.output


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("named", [False, True])
def test_a_feed_of_products(tmp_path, encoding, named):
    """Google's feed: each item is a row, spaces of names are dropped, what comes again in it stands side by side."""
    source = shop(tmp_path, "")
    (source / "a.csv").unlink()
    (source / "feed.xml").write_bytes(feed(encoding).encode(encoding))
    told = imported(source / "feed.xml" if named else source, tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert styles(tmp_path / "out")["1"][MASTER] == "Mode & Mehr"
    assert told["mapping"]["sheets"] == ["feed.xml"]
    assert styles(tmp_path / "out")["1"][names.PRODUCT_NAME] == "Thing 1 <b>"


def test_elements_of_any_name_with_attributes(tmp_path):
    """A row is what comes again outermost, attributes are columns, and a picture inside is not a product."""
    text = "".join(PRODUCT.format(i=i, type=TYPES[i % 3]) + "</product>" for i in ROWS)
    imported(shop(tmp_path, f"<shop><about><a/></about><products>{text}</products></shop>", "a.xml"), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert {row[COLOUR] for row in styles(tmp_path / "out").values()} == {"rot"}


@pytest.mark.parametrize("count", [12, 24])
def test_xml_for_each_picture(tmp_path, count):
    """Pascal VOC: a picture with two things of one kind is of it, and one of two kinds is told."""
    boxes = [[TYPES[i % 3]] for i in range(count)]
    boxes[1], boxes[2] = [TYPES[1], TYPES[1]], [TYPES[0], TYPES[1]]
    texts = ["".join(map(BOX.format, kinds)) for kinds in boxes]
    folder = tmp_path / "shop"
    files = [f"<annotation><filename>{i:06d}.jpg</filename>{text}</annotation>" for i, text in enumerate(texts)]
    annotated(folder, files, ".xml")
    imported(folder, tmp_path / "out")
    assert types_of(tmp_path / "out") == {f"{i:06d}": TYPES[i % 3] for i in range(count) if i != 2}
    assert [reason for reason, _ in rejected(tmp_path / "out").values()] == ["several labels"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('<!DOCTYPE a [<!ENTITY b "bb">]><rss>&b;</rss>', "has a document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "has a document type"),
        ("<a><b></a>", "is no XML"),
        ("<a>" * 200 + "</a>" * 200, "is deeper than 100 elements"),
        ("id,type", "is no XML"),
        ("<rss/>", "most shops give a feed as CSV or TSV too"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_is_not_read(tmp_path, text, says, encoding):
    """What declares entities is refused in any encoding, before one of them is looked at."""
    source = shop(tmp_path, "", "a.xml")
    (source / "a.xml").write_bytes(text.encode(encoding))
    result = lookbook_import(source / "a.xml", tmp_path / "out")
    assert result.exit_code == 1 and says in result.output and "a.xml" in result.output


def test_settings_in_xml_leave_folders_their_word(tmp_path):
    """A tool's settings beside class folders are nobody's rows, broken or not; a feed of the pictures is the sheet."""
    source = tmp_path / "shop"
    for i in ROWS:
        photo(source / TYPES[i % 3] / f"{i}.jpg", i)
    (source / "settings.xml").write_text('<a><b c="1"/><b c="2"/></a>')
    (source / "broken.xml").write_text("<!DOCTYPE a><a>")
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    (source / "feed.xml").write_text(feed().replace(TYPES[0], "Anderes"))
    imported(source, tmp_path / "fed")
    assert types_of(tmp_path / "fed")["0"] == "Anderes"
