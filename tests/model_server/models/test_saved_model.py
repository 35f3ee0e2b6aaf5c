"""How a SavedModel is loaded and let go."""

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode

from schema import names
from serving.model_server.errors import ServingError
from serving.model_server.models.saved_model import LoadOptions, SavedModel
from tests.model_server.running import Shelf


def test_tags(shelf: Shelf, tmp_path: Path) -> None:
    """A SavedModel without the wanted tags is refused with what it lacks."""
    shelf.push(tmp_path, "plain", 1)
    with pytest.raises(ServingError, match="'gpu'"):
        SavedModel(tmp_path / names.CATEGORY / "1", LoadOptions(tags=("gpu",)))


def test_missing(tmp_path: Path) -> None:
    """An empty folder holds no SavedModel."""
    with pytest.raises(ServingError, match="Can't load the SavedModel") as caught:
        SavedModel(tmp_path, LoadOptions())
    assert caught.value.code is StatusCode.NOT_FOUND


def test_text_of_no_dimensions(tmp_path: Path) -> None:
    """An output of one string comes as an array of no dimensions, as one of a number does."""
    joined = tf.function(lambda x: {"y": tf.strings.reduce_join(x)}, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures={"joined": joined})
    text = SavedModel(tmp_path, LoadOptions()).signatures["joined"].run({"x": np.array([b"a", b"b"], object)})["y"]
    assert (text.shape, text.tolist()) == ((), b"ab")


def test_closed_model_is_freed(shelf: Shelf, tmp_path: Path) -> None:
    """A closed model's graph goes at once, not when the garbage collector comes by and stops every request."""
    shelf.push(tmp_path, "plain", 1)
    model = SavedModel(tmp_path / names.CATEGORY / "1", LoadOptions())
    graph = weakref.ref(model._graph)
    gc.disable()
    try:
        model.close()
        del model
        assert graph() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("tracks_values", [False, True])
def test_loads_as_tensorflow_serving_does(tmp_path: Path, tracks_values: bool) -> None:
    """A SavedModel that TensorFlow Serving can't run can't be run here either, though ``tf.saved_model.load`` could.

    A ``tf.Module`` that holds a Keras 3 model saves its variables under one name and reads them under another, unless
    it tracks their values too.
    """
    import keras

    module = tf.Module()
    module.model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    if tracks_values:
        module.values = [variable.value for variable in module.model.variables]
    signature = tf.function(lambda x: {"y": module.model(x)}, input_signature=[tf.TensorSpec([None, 2], name="x")])
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": signature})
    run = SavedModel(tmp_path, LoadOptions()).signatures["serving_default"].run
    inputs = {"x": np.array([[1, 2]], np.float32)}
    if tracks_values:
        assert run(inputs)["y"].tolist() == [[3]]
        return
    with pytest.raises(ServingError, match=r'Running signature "serving_default" failed$') as caught:
        run(inputs)
    assert caught.value.code is StatusCode.FAILED_PRECONDITION
