"""One row a picture, which says what a merger says; in every format, from every kind of input."""

import csv
import io
import os
import zipfile
from pathlib import Path

import pytest
import tensorflow as tf
from PIL import Image

from components.catalogue.reading.errors import CatalogueError
from pipeline.asking import classify_files, connected
from serving.merger.settings import Settings
from tests import tiny_models
from tests.pipeline.bulk.conftest import classify, rows_of

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
    from pipeline.bulk.output import files_at

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
