"""What a pushed release tells of its memory, so that corrections can join it."""

import pytest
import tensorflow as tf

from schema import model_card, names

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_where_a_picture_lies_changes_no_score(home):
    """The article type's model tells it beside the same scores, to the last bit, and the others' signatures do not."""
    picture = next((home.data / "images").glob("*.jpg")).read_bytes()
    batch = tf.constant([picture, b"\xff\xd8\xffbroken"])
    loaded = tf.saved_model.load(str(home.root / "release" / names.ARTICLE_TYPE / "1"))
    alone = loaded.signatures[names.SCORES](image_bytes=batch)
    lying = loaded.signatures[names.SCORES_WITH_MEMORY](image_bytes=batch, name=tf.constant(["", ""]))
    assert {*lying} - {*alone} == {
        names.EMBEDDING, names.NEIGHBOUR_SIMILARITIES, names.NAME_KNOWN, names.NAME_FITS,
    }  # fmt: skip
    assert all((lying[key].numpy() == alone[key].numpy()).all() for key in alone)
    kin = loaded.signatures[names.NEIGHBOURS](image_bytes=batch)
    for key in (names.EMBEDDING, names.NEIGHBOUR_SIMILARITIES):
        assert lying[key].numpy() == pytest.approx(kin[key].numpy(), abs=1e-5)
    assert model_card.read_file(home.root / "release" / names.ARTICLE_TYPE / "1").memory
    other = tf.saved_model.load(str(home.root / "release" / names.CATEGORY / "1"))
    assert names.SCORES_WITH_MEMORY not in other.signatures
