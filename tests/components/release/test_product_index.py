"""The index of more products than a model remembers: built from what the released model tells of each picture."""

import json
import logging
import sqlite3

import numpy as np
import pytest
import tensorflow as tf

from components.release import product_index
from schema import names
from schema.products.index import QUERY, TEXTS, VECTORS

ROWS = 900
WIDTH = 24


class _Model(tf.Module):
    """Its pictures are the embeddings themselves, as JSON; the empty one cannot be read."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=names.IMAGE)])
    def neighbours(self, image_bytes):
        is_ok = image_bytes != ""
        text = tf.where(is_ok, image_bytes, json.dumps([0.0] * WIDTH))
        numbers = tf.strings.to_number(tf.strings.split(tf.strings.regex_replace(text, r"[\[\] ]", ""), ","))
        return {names.EMBEDDING: numbers.to_tensor(shape=[None, WIDTH]), names.IMAGE_OK: is_ok}


def record(row, image):
    texts = {names.ID: str(row), names.ARTICLE_TYPE_LABEL: f"type {row % 7}", names.PRODUCT_NAME: f"Größe {row}"}
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
        for name, text in {**texts, names.IMAGE: image}.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A model, two splits of pictures of which one cannot be read, and the embeddings of the others."""
    folder = tmp_path_factory.mktemp("known")
    random = np.random.default_rng(2)
    middles = random.normal(size=(30, WIDTH))
    vectors = middles[random.integers(0, 30, ROWS)] + random.normal(size=(ROWS, WIDTH)) * 0.4
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    model = _Model()
    tf.saved_model.save(model, str(folder / "model"), signatures={names.NEIGHBOURS: model.neighbours})
    splits = []
    for split, rows in (("train", range(ROWS - 100)), ("eval", range(ROWS - 100, ROWS))):
        file = str(folder / f"{split}.gz")
        with tf.io.TFRecordWriter(file, "GZIP") as writer:
            if split == "eval":
                writer.write(record(-1, ""))
            for row in rows:
                writer.write(record(row, json.dumps(vectors[row].tolist())))
        splits.append([file])
    return folder / "model", splits, vectors


def test_all_are_found_and_told(known, tmp_path):
    """Twenty nearest by the index are those by comparing with each, but for one in twenty; what is told of a place is
    what the catalogue says of that picture, and one that cannot be read has none."""
    faiss = pytest.importorskip("faiss", reason="needs the extra lookbook[index]")
    model, splits, vectors = known
    assert product_index.write_index(model, splits, tmp_path) == ROWS
    assert sorted(path.name for path in tmp_path.iterdir()) == [VECTORS, TEXTS]
    index = faiss.read_index(str(tmp_path / VECTORS))
    asked = vectors[::9]
    _, places = index.search(asked, 20)
    right = np.argsort(-(asked @ vectors.T), axis=1)[:, :20]
    recall = np.mean([len(set(a) & set(b)) / 20 for a, b in zip(places, right, strict=True)])
    assert recall >= 0.95
    with sqlite3.connect(tmp_path / TEXTS) as store:
        assert store.execute(QUERY, [ROWS - 1]).fetchone() == (
            str(ROWS - 1), f"type {(ROWS - 1) % 7}", f"Größe {ROWS - 1}",
        )  # fmt: skip
        assert store.execute("SELECT count(*) FROM products").fetchone() == (ROWS,)


def test_it_is_made_where_a_model_remembers_fewer(known, monkeypatch, caplog):
    """A catalogue that the model remembers whole needs none; of a larger one without the library it is said what is not
    found, and the release is made."""
    _, splits, _ = known
    assert not product_index.is_wanted(splits)
    monkeypatch.setattr(product_index, "MOST_PICTURES", ROWS - 101)
    monkeypatch.setattr(product_index.importlib.util, "find_spec", lambda name: name)
    assert product_index.is_wanted(splits)
    monkeypatch.setattr(product_index.importlib.util, "find_spec", lambda name: None)
    with caplog.at_level(logging.WARNING):
        assert not product_index.is_wanted(splits)
    assert "799 pictures" in caplog.text and "lookbook[index]" in caplog.text
