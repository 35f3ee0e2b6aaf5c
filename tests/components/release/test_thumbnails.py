"""The small pictures of known products: one a product, small, and never larger than the picture itself."""

import io
import sqlite3

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.release import thumbnails
from components.release.thumbnails import MOST_BYTES, SIZE, small, write_thumbnails
from schema import names
from schema.products.thumbnails import QUERY
from tests.tiny_models import picture


def write_split(folder, rows):
    folder.mkdir()
    path = str(folder / "rows.gz")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for row_id, image in rows:
            cells = {names.ID: row_id.encode(), names.IMAGE: image}
            feature = {key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[one])) for key, one in cells.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    return [path]


def found(file, row_id):
    with sqlite3.connect(file) as store:
        row = store.execute(QUERY, [row_id]).fetchone()
    return row and row[0]


def test_every_known_product_has_one(tmp_path):
    """Those of train and of eval, by their ids; a product that is in neither has none."""
    splits = [
        write_split(tmp_path / "train", [("1", picture("red")), ("a b/ü", picture("blue"))]),
        write_split(tmp_path / "eval", [("2", picture("green"))]),
    ]
    write_thumbnails(splits, tmp_path / "file")
    assert found(tmp_path / "file", "1") == picture("red")
    assert found(tmp_path / "file", "a b/ü") == picture("blue")
    assert found(tmp_path / "file", "2") == picture("green")
    assert found(tmp_path / "file", "3") is None


def test_none_beyond_what_is_remembered(tmp_path, monkeypatch):
    """A split larger than a model remembers has pictures of what it remembers."""
    monkeypatch.setattr(thumbnails, "MOST_PICTURES", 2)
    rows = [(str(number), picture("red")) for number in range(5)]
    write_thumbnails([write_split(tmp_path / "train", rows)], tmp_path / "file")
    assert [found(tmp_path / "file", row_id) is not None for row_id, _ in rows] == [True, True, False, False, False]


@pytest.mark.parametrize("size", [(1200, 900), (90, 4000), (100, 120)])
def test_large_pictures_are_made_small(size):
    """Wide, high or merely heavy: what is kept is small on both sides and in bytes, and has the picture's shape."""
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    made = small(file.getvalue())
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.width <= SIZE[0] and opened.height <= SIZE[1]
        assert opened.width / opened.height == pytest.approx(size[0] / size[1], rel=0.35)
    assert len(made) < 3 * MOST_BYTES < len(file.getvalue())
