"""A model answers from the features that another told, over gRPC and REST, alone and in company."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from schema import names
from tests import tiny_models
from tests.model_server.running import PATIENCE_SECONDS, RunningServer, Shelf, predict_request, start

SHARED = (names.FEATURES, names.VOTERS, names.VOTER_WEIGHTS)
PICTURES = [tiny_models.picture("red"), b"broken", tiny_models.picture("blue")]
GIVEN = ["", "red", "red"]


@pytest.fixture(scope="module")
def sharing(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A release whose category model answers from features and names."""
    folder = tmp_path_factory.mktemp("sharing")
    shelf.push(folder / "models", "shares", 1)
    with start(folder / "models", folder / "config") as running:
        yield running


def by_picture(sharing: RunningServer, model: str, signature: str, pictures: list[bytes], given: list[str]) -> Any:
    request = predict_request(model, pictures, signature)
    request.inputs[names.NAME].CopyFrom(tf.make_tensor_proto(given, tf.string))
    return sharing.predictions.Predict(request, timeout=PATIENCE_SECONDS)


def from_features(sharing: RunningServer, told: PredictResponse, given: list[str]) -> Any:
    """Asks by raw bytes, as the merger does; what was told came value by value."""
    request = PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = names.CATEGORY, names.SCORES_FROM_FEATURES
    for name in SHARED:
        array = tf.make_ndarray(told.outputs[name])
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        assert request.inputs[name].tensor_content
    request.inputs[names.NAME].CopyFrom(tf.make_tensor_proto(given, tf.string))
    return sharing.predictions.Predict(request, timeout=PATIENCE_SECONDS)


def assert_same(found: Any, wanted: Any) -> None:
    assert set(found.outputs) == set(wanted.outputs)
    for name, tensor in wanted.outputs.items():
        np.testing.assert_allclose(
            tf.make_ndarray(found.outputs[name]).astype(float), tf.make_ndarray(tensor).astype(float), atol=1e-5
        )


def test_answers_from_features(sharing: RunningServer) -> None:
    """The scores are those by picture and name, and a picture that could not be read is told as such."""
    told = by_picture(sharing, names.ARTICLE_TYPE, names.SCORES_WITH_MEMORY, PICTURES, GIVEN)
    assert told.outputs[names.VOTERS].dtype == tf.int32.as_datatype_enum and told.outputs[names.VOTERS].int_val
    found = from_features(sharing, told, GIVEN)
    assert_same(found, by_picture(sharing, names.CATEGORY, names.SCORES_WITH_NAME, PICTURES, GIVEN))
    assert list(found.outputs[names.IMAGE_OK].bool_val) == [True, False, True]


def test_many_callers(sharing: RunningServer) -> None:
    """Callers whose features run together get their own rows."""

    def asks(number: int) -> tuple[Any, Any]:
        pictures = [tiny_models.picture(tiny_models.COLOURS[number % 6])] * (1 + number % 3)
        given = [tiny_models.COLOURS[number % 5]] * len(pictures)
        told = by_picture(sharing, names.ARTICLE_TYPE, names.SCORES_WITH_MEMORY, pictures, given)
        wanted = by_picture(sharing, names.CATEGORY, names.SCORES_WITH_NAME, pictures, given)
        return from_features(sharing, told, given), wanted

    with ThreadPoolExecutor(12) as pool:
        for found, wanted in pool.map(asks, range(48)):
            assert_same(found, wanted)


def test_rest(sharing: RunningServer) -> None:
    """Numbers travel as JSON, in rows, from one model to the other."""

    def ask(model: str, signature: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        body = {"signature_name": signature, "instances": rows}
        found: list[dict[str, Any]] = sharing.rest.post(f"/v1/models/{model}:predict", json=body).json()["predictions"]
        return found

    images = [{"b64": base64.b64encode(one).decode()} for one in PICTURES]
    rows = [{names.IMAGE: image, names.NAME: name} for image, name in zip(images, GIVEN, strict=True)]
    told = ask(names.ARTICLE_TYPE, names.SCORES_WITH_MEMORY, rows)
    features = [
        {name: one[name] for name in SHARED} | {names.NAME: given} for one, given in zip(told, GIVEN, strict=True)
    ]
    wanted = ask(names.CATEGORY, names.SCORES_WITH_NAME, rows)
    for found, one in zip(ask(names.CATEGORY, names.SCORES_FROM_FEATURES, features), wanted, strict=True):
        assert found.keys() == one.keys() and found[names.IMAGE_OK] == one[names.IMAGE_OK]
        assert found[names.SUB_CATEGORY] == pytest.approx(one[names.SUB_CATEGORY], abs=1e-5)
