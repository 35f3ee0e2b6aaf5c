"""One row a picture, which says what a merger says; in every format, from every kind of input."""

import csv
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tensorflow as tf
from PIL import Image

from components.catalogue.reading.errors import CatalogueError
from pipeline.asking import classify_files, connected
from pipeline.config import Layout
from pipeline.errors import RunError
from serving.merger.settings import Settings
from tests import tiny_models
from tests.pipeline.bulk.conftest import classify, release, rows_of

LEVELS = {"articleType": "article_type", "subCategory": "sub_category", "masterCategory": "master_category"}


def odd_pictures(folder: Path) -> Path:
    """Pictures of many kinds, good and bad."""
    folder.mkdir()
    for colour in (*tiny_models.COLOURS, "grey"):
        (folder / f"{colour}.jpg").write_bytes(tiny_models.picture(colour))
    for kind in ("PNG", "WEBP", "GIF", "BMP", "TIFF"):
        picture = tiny_models.picture("cyan", width=900, height=1200, image_format=kind)
        (folder / f"large.{kind.lower()}").write_bytes(picture)
    Image.effect_noise((1500, 2000), 90).save(folder / "noise.jpg")
    clear = Image.new("RGBA", (300, 400), (0, 0, 255, 60))
    clear.save(folder / "clear.png")
    (folder / "cut.jpg").write_bytes(tiny_models.picture("red", width=600, height=800)[:900])
    (folder / "words.jpg").write_text("no picture")
    (folder / "empty.png").touch()
    Image.new("1", (9000, 9000)).save(folder / "pixels.png")
    (folder / "bytes.bmp").write_bytes(b"BM" + bytes(Settings().max_image_bytes))
    return folder


def test_each_picture_has_the_answer_of_a_merger(layout, tmp_path):
    """Labels, review and errors are the same, confidences too within a millionth, whatever the file."""
    folder = odd_pictures(tmp_path / "odd")
    classify(layout, folder, tmp_path / "out.parquet")
    rows = rows_of(tmp_path / "out.parquet")
    with connected(layout, None) as client:
        answers = {Path(one["file"]).name: one for one in classify_files(client, sorted(folder.iterdir()))}
    assert rows.keys() == answers.keys()
    assert sum(bool(row["error"]) for row in rows.values()) == 5
    for name, one in answers.items():
        row = rows[name]
        if one["error"]:
            assert (row["error"], row["detail"]) == (one["error"]["code"], one["error"]["detail"])
            continue
        answer = one["answer"]
        assert {level: row[column] for column, level in LEVELS.items()} == {
            level: answer["joint"][level] for level in LEVELS.values()
        }
        assert row["confidence"] == pytest.approx(answer["joint"]["confidence"], abs=1e-6)
        assert (row["reasons"] or "") == " ".join(reason["code"] for reason in answer["review"]["reasons"])
        assert (row["review"], row["level"]) == (answer["review"]["needed"], answer["level"])
        [gender] = answer["attributes"]
        assert row["gender"] == gender["label"]
        assert row["gender_confidence"] == pytest.approx(gender["confidence"], abs=1e-6)


@pytest.fixture(scope="module")
def hearing(tmp_path_factory) -> Layout:
    """A root with a release that hears names."""
    return release(tmp_path_factory.mktemp("hearing"), hears=True)


NAMES = {
    "red.jpg": "A <b>red</b> thing",
    "grey.jpg": "=green SHOE",
    "blue.jpg": "red shirt",
    "cyan.jpg": "xyzzy",
    "bad": "x",
}


def test_names_are_heard_as_by_a_merger(hearing, tmp_path):
    """With names each row is what a merger answers with them: those that help, contradict, or say nothing; a picture
    that has none among others that have is answered as ever, and no name stands in a row."""
    folder = odd_pictures(tmp_path / "odd")
    classify(hearing, folder, tmp_path / "out.parquet", product_names=NAMES)
    classify(hearing, folder, tmp_path / "plain.parquet")
    rows, plain = rows_of(tmp_path / "out.parquet"), rows_of(tmp_path / "plain.parquet")
    with connected(hearing, None) as client:
        files = sorted(folder.iterdir())
        given = {str(folder / name): what for name, what in NAMES.items()}
        answers = {Path(one["file"]).name: one for one in classify_files(client, files, product_names=given)}
    assert rows.keys() == answers.keys()
    for name, one in answers.items():
        if one["error"]:
            assert rows[name]["error"] == one["error"]["code"]
            continue
        joint, reasons = one["answer"]["joint"], [reason["code"] for reason in one["answer"]["review"]["reasons"]]
        assert rows[name]["articleType"] == joint["article_type"]
        assert rows[name]["confidence"] == pytest.approx(joint["confidence"], abs=1e-6)
        assert (rows[name]["reasons"] or "") == " ".join(reasons)
    assert rows["grey.jpg"]["articleType"] == tiny_models.expected("green")["article_type"]
    assert "name_contradicts" in rows["blue.jpg"]["reasons"]
    assert {name for name in rows if rows[name] != plain[name]} == {"red.jpg", "grey.jpg", "blue.jpg"}
    assert not any("xyzzy" in str(row) for row in rows.values())


def test_a_sheet_tells_what_its_products_are_called(hearing, photos, tmp_path):
    """The column productDisplayName is heard, and --names before it; other names are another work."""
    photos.rename(tmp_path / "images")
    (tmp_path / "images" / "001.jpg").write_bytes(tiny_models.picture("grey"))
    sheet, output = tmp_path / "styles.csv", tmp_path / "out.parquet"
    sheet.write_text("id,articleType,productDisplayName\n001,Shirts,A green thing\n002,Shirts,\n")
    classify(hearing, sheet, output)
    assert rows_of(output)["images/001.jpg"]["articleType"] == tiny_models.expected("green")["article_type"]
    with pytest.raises(RunError, match="or are called otherwise"):
        classify(hearing, sheet, output, product_names={"001": "A red thing"})
    classify(hearing, sheet, tmp_path / "named.parquet", product_names={"001": "A red thing"})
    row = rows_of(tmp_path / "named.parquet")["images/001.jpg"]
    assert row["articleType"] == tiny_models.expected("red")["article_type"]


def test_names_out_of_a_file(hearing, tmp_path):
    """The command takes them as it does where a server is asked."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "grey.jpg").write_bytes(tiny_models.picture("grey"))
    sheet = tmp_path / "names.csv"
    sheet.write_text("file,name\ngrey.jpg,A green thing\n")
    given = ["--input", folder, "--output", tmp_path / "out.parquet", "--names", sheet, "--root", hearing.root]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.runner", "classify", *map(str, given)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, "the models go before TensorFlow does"
    assert rows_of(tmp_path / "out.parquet")["grey.jpg"]["articleType"] == tiny_models.expected("green")["article_type"]


def test_every_format_has_the_same_rows(layout, tmp_path):
    """Parquet, CSV and TFRecords tell the same; only CSV knows no null."""
    folder = odd_pictures(tmp_path / "odd")
    for suffix in ("parquet", "csv", "tfrecord"):
        classify(layout, folder, tmp_path / f"out.{suffix}")
    rows = rows_of(tmp_path / "out.parquet")
    [table] = (tmp_path / "out.csv").glob("*.csv")
    cells = {row["file"]: row for row in csv.DictReader(io.StringIO(table.read_text(encoding="utf-8")))}
    [records] = (tmp_path / "out.tfrecord").glob("*.tfrecord")
    examples = [tf.train.Example.FromString(one.numpy()) for one in tf.data.TFRecordDataset(str(records))]
    features = {one.features.feature["file"].bytes_list.value[0].decode(): one.features.feature for one in examples}
    assert rows.keys() == cells.keys() == features.keys()
    for name, row in rows.items():
        for column in ("articleType", "gender", "error", "detail"):
            assert (row[column] or "") == cells[name][column]
            assert (row[column] or "").encode() == b"".join(features[name][column].bytes_list.value)
        assert [row["confidence"]] == [float(cells[name]["confidence"] or "nan")] or row["error"]
        assert list(features[name]["review"].int64_list.value) == [row["review"]] * (row["review"] is not None)


def test_names_of_every_kind_have_a_row(layout, tmp_path):
    """A name that is no UTF-8, a quote, a formula, a line end: each file is found and read, and has a row of text."""
    folder = tmp_path / "names"
    (folder / "below").mkdir(parents=True)
    names = [b"gr\xe9en.jpg", b'a "b", c.jpg', b"=1+1.jpg", b"two\nlines.jpg", b"below/[x]*.jpg", b"none"]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(tiny_models.picture("green"))
    (folder / ".hidden.jpg").write_bytes(tiny_models.picture("green"))
    (folder / "notes.txt").write_text("no picture")
    summary = classify(layout, folder, tmp_path / "out.parquet")
    assert summary["answered"] == len(names) and sum(summary["skipped"].values()) == 2
    assert r"gr\xe9en.jpg" in rows_of(tmp_path / "out.parquet")


def test_a_zip_may_have_a_name_twice_and_damage(layout, tmp_path):
    """Both entries have their row, and one that is damaged has its error; folders and text are no pictures."""
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a/red.jpg", tiny_models.picture("red"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/red.jpg", tiny_models.picture("blue"))
        archive.writestr("a/bad.jpg", tiny_models.picture("green", width=61))
        archive.writestr("readme.md", "no picture")
    content = bytearray((tmp_path / "photos.zip").read_bytes())
    at = content.index(b"a/bad.jpg") + 60
    content[at : at + 4] = b"\0\0\0\0"
    (tmp_path / "photos.zip").write_bytes(content)
    classify(layout, tmp_path / "photos.zip", tmp_path / "out.parquet")
    rows = rows_of(tmp_path / "out.parquet")
    assert {name: row["articleType"] or row["error"] for name, row in rows.items()} == {
        "a/red.jpg": "Tshirts",
        "a/red.jpg (2)": "Shirts",
        "a/bad.jpg": "unreadable",
    }


def test_a_glob_takes_what_it_says(layout, photos, tmp_path):
    """Folders that match are no pictures; a name that has the characters of a glob and is there is a name."""
    (photos / "10x.jpg").mkdir()
    classify(layout, photos / "10?.jpg", tmp_path / "out.parquet")
    assert sorted(rows_of(tmp_path / "out.parquet")) == [f"{number}.jpg" for number in range(100, 110)]
    odd = tmp_path / "[1]"
    photos.rename(odd)
    assert classify(layout, odd, tmp_path / "all.csv")["pictures"] == 300
    assert classify(layout, f"{tmp_path}/**/29*.jpg", tmp_path / "some.csv")["pictures"] == 10


def test_a_sheet_names_its_pictures(layout, photos, tmp_path):
    """Each id of a catalogue's sheet has one row, in the sheet's order, with or without a picture."""
    photos.rename(tmp_path / "images")
    sheet = tmp_path / "styles.csv"
    sheet.write_text("id,articleType\n007,Shirts\n001,Shirts\n777,Shirts\n001,Jeans\n002,\n")
    classify(layout, sheet, tmp_path / "out.parquet")
    rows = rows_of(tmp_path / "out.parquet")
    assert [*rows] == ["images/007.jpg", "images/001.jpg", "images/777", "images/002.jpg"]
    assert [row["error"] for row in rows.values()] == [None, None, "unreadable", None]


@pytest.mark.parametrize("given", ["empty", "nothing", "empty/*.jpg", "notes"])
def test_without_pictures_there_is_nothing_to_do(layout, tmp_path, given):
    """The words say what was looked at, and no output is begun."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no picture")
    with pytest.raises(CatalogueError, match=r"no pictures|nothing at"):
        classify(layout, tmp_path / given, tmp_path / "out.csv")
    assert not list(tmp_path.glob("out*"))


def test_a_bucket_is_read_and_written(layout, photos, tmp_path, s3_bucket):
    """Objects are found by a glob, one that is no picture fails, and the output is there once its summary is."""
    from components.storage.location import Remote
    from pipeline.bulk.files import files_at

    store = Remote(s3_bucket).store
    for name in ("a/001.jpg", "a/b/002.jpg"):
        store.write(name, (photos / Path(name).name).read_bytes())
    store.write("a/003.jpg", b"no picture")
    store.write("a/plain", (photos / "004.jpg").read_bytes())
    store.write("a/readme", b"no picture")
    output = Remote(f"{s3_bucket}/out.csv")
    assert classify(layout, f"{s3_bucket}/a/*.jpg", output)["pictures"] == 2
    again = classify(layout, f"{s3_bucket}/a/*.jpg", output)
    assert again["resumed"] == again["pictures"] == 2
    summary = classify(layout, f"{s3_bucket}/a", Remote(f"{s3_bucket}/all.parquet"))
    assert (summary["answered"], summary["failed_by"], summary["skipped"]) == (
        3,
        {"image_unsupported": 1},
        {"is text": 1},
    )
    assert files_at(output).names() >= {"00000-of-00001.csv", "_summary.json", "_plan.json"}
