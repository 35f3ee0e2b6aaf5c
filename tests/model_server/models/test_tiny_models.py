"""The tiny models keep the contract that the rest of the tests rely on, above all with broken pictures."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from schema import heads as table
from schema import names
from tests import tiny_models
from tests.tiny_models.graph import write_release

ATTRIBUTES = ("gender", "pattern")
"""Heads outside the taxonomy: one that the table of heads has, and one that it lacks."""

JPEG = tiny_models.picture("red")


def encoded(mode: str, image_format: str, colour: Any = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (60, 80), colour).save(buffer, image_format)
    return buffer.getvalue()


READABLE = {
    "gif": tiny_models.picture("red", image_format="GIF"),
    "png": tiny_models.picture("red", image_format="PNG"),
    "bmp": tiny_models.picture("red", image_format="BMP"),
    "png 16 bit": encoded("I;16", "PNG", 40_000),
    "png palette": encoded("P", "PNG"),
    "png alpha": encoded("RGBA", "PNG", (255, 0, 0, 9)),
    "jpeg grey": encoded("L", "JPEG", 120),
    "jpeg CMYK": encoded("CMYK", "JPEG", (0, 255, 255, 0)),
}
UNREADABLE = {
    "empty": b"",
    "text": b"no picture",
    "jpeg truncated": JPEG[: len(JPEG) // 2],
    "jpeg header only": JPEG[:20],
    "jpeg header, then garbage": JPEG[:20] + bytes(range(256)) * 4,
    "png truncated": READABLE["png"][:-30],
    "gif header": b"GIF89a",
    "webp alpha": encoded("RGBA", "WEBP"),
}
# TensorFlow 2.16 reads no WebP at all, later ones all but transparent and moving ones.
(READABLE if hasattr(tf.io, "decode_webp") else UNREADABLE)["webp"] = encoded("RGB", "WEBP")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release")
    write_release(root, 1, attributes=ATTRIBUTES)
    return root


@pytest.fixture(scope="module")
def loaded(release: Path) -> dict[str, Any]:
    return {model: tf.saved_model.load(str(release / model / "1")) for model in table.MODELS}


def call(loaded: dict[str, Any], model: str, signature: str, pictures: list[bytes]) -> dict[str, np.ndarray]:
    outputs = loaded[model].signatures[signature](**{names.IMAGE: tf.constant(pictures, tf.string)})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


@pytest.mark.parametrize("model", table.MODELS)
def test_names_each_colour(loaded: dict[str, Any], model: str) -> None:
    """Each colour has the answer that ``expected`` promises, in both signatures and by the card's label order."""
    pictures = [tiny_models.picture(colour) for colour in tiny_models.COLOURS]
    best = call(loaded, model, names.SERVING_DEFAULT, pictures)
    scores = call(loaded, model, names.SCORES, pictures)
    card = loaded[model].signatures[names.METADATA](keys=tf.constant([names.CARD_KEY, "?"]))["values"].numpy()
    heads = json.loads(card[0])["heads"]
    assert card[1] == b""
    for head in [head.name for head in tiny_models.heads_of(model, ATTRIBUTES)]:
        wanted = [tiny_models.expected(colour, attributes=ATTRIBUTES)[head] for colour in tiny_models.COLOURS]
        assert [row[0].decode() for row in best[names.labels_tensor(head)]] == wanted
        assert [heads[head]["labels"][i] for i in scores[head].argmax(axis=1)] == wanted
        np.testing.assert_allclose(scores[head].sum(axis=1), 1, rtol=1e-5)
        assert (best[names.scores_tensor(head)][:, 0] > 0.9).all()


@pytest.mark.parametrize("picture", READABLE.values(), ids=list(READABLE))
def test_reads(loaded: dict[str, Any], picture: bytes) -> None:
    """Whatever TensorFlow can decode gets an answer."""
    outputs = call(loaded, names.CATEGORY, names.SCORES, [picture])
    assert outputs[names.IMAGE_OK].tolist() == [True]


@pytest.mark.parametrize("broken", UNREADABLE.values(), ids=list(UNREADABLE))
@pytest.mark.parametrize("signature", [names.SERVING_DEFAULT, names.SCORES])
def test_isolates(loaded: dict[str, Any], signature: str, broken: bytes) -> None:
    """A broken picture gets zeros and empty labels, and its neighbours the answers they get alone."""
    model = names.CATEGORY
    neighbours = [tiny_models.picture("blue"), READABLE["png"]]
    alone = call(loaded, model, signature, neighbours)
    mixed = call(loaded, model, signature, [neighbours[0], broken, neighbours[1], broken])
    assert mixed[names.IMAGE_OK].tolist() == [True, False, True, False]
    for name in alone.keys() - {names.IMAGE_OK}:
        if name.endswith("_labels"):
            assert mixed[name][[0, 2]].tolist() == alone[name].tolist()
        else:  # a larger batch may be summed in another order
            np.testing.assert_allclose(mixed[name][[0, 2]], alone[name], rtol=1e-5)
        assert not mixed[name][1].any()


def test_answers_for_nothing(loaded: dict[str, Any]) -> None:
    """An empty batch and a batch of broken pictures alone are no errors."""
    assert call(loaded, names.ARTICLE_TYPE, names.SERVING_DEFAULT, [])["article_type_labels"].shape == (0, 5)
    only_broken = call(loaded, names.ARTICLE_TYPE, names.SCORES, [b"", b"x"])
    assert only_broken[names.IMAGE_OK].tolist() == [False, False]


def test_knobs(tmp_path: Path) -> None:
    """Other weights change every answer; models that disagree give a path that is not in the taxonomy."""
    write_release(tmp_path, 7, weights=2, disagree=True)
    loaded = {model: tf.saved_model.load(str(tmp_path / model / "7")) for model in table.MODELS}
    answer: dict[str, str] = {}
    for head in table.taxonomy():
        outputs = call(loaded, head.model, names.SERVING_DEFAULT, [JPEG])
        answer[head.name] = outputs[names.labels_tensor(head.name)][0, 0].decode()
    assert answer[names.ARTICLE_TYPE] == tiny_models.expected("red", weights=2)[names.ARTICLE_TYPE]
    assert answer[names.SUB_CATEGORY] == tiny_models.expected("red", weights=3)[names.SUB_CATEGORY]
    assert answer not in [tiny_models.expected(colour) for colour in tiny_models.COLOURS]
