"""What the serving check does: serve two SavedModels for real, ask, compare, measure."""

import json
import logging
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc

from components.errors import GateError
from components.release.serving_check.server import model_server, server_command
from schema import model_card, names
from schema.model_card import ModelCard

_log = logging.getLogger("lookbook.serving_check")

TOLERANCE = 1e-3
"""How far a served score may lie from the one computed in process: batches of other sizes sum in another order."""

WARMUP_FILE = "tf_serving_warmup_requests"
_WARMUP_BATCHES = (1, 8, 32)
_CALL_SECONDS = 30
_SERVED_SIGNATURES = (names.SERVING_DEFAULT, names.SCORES)


def check_models(models: dict[str, Path], pictures: list[bytes], output: Path, most_p50_ms: float) -> None:
    """Serves the models, with warm-up requests, and holds their answers to those computed in process.

    Args:
        models: model name → SavedModel.
        pictures: encoded, at least one.
        output: folder for ``result.json``, ``server.log`` and ``<model>/tf_serving_warmup_requests``.
        most_p50_ms: gate on the median time of one picture through one model, in milliseconds.

    Raises:
        GateError: the server did not start, an answer differs, a broken picture spoils its neighbours, or it is slow.
    """
    cards = {name: model_card.read_file(path) for name, path in models.items()}
    features = _features(models[names.ARTICLE_TYPE], cards, pictures)
    for name, card in cards.items():
        _write_warmup(output / name / WARMUP_FILE, card, pictures, features)
    # Below the root, whose path is looked at before a run; that of TMPDIR may be any.
    with tempfile.TemporaryDirectory(prefix="check-", dir=output) as folder:
        staged = Path(folder)
        for name, path in models.items():
            shutil.copytree(path, staged / name / "1")
            shutil.copytree(output / name, staged / name / "1" / "assets.extra", dirs_exist_ok=True)
        with model_server(staged, output / "server.log") as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            checks = {
                name: _check_model(stub, path, cards[name], pictures, features, most_p50_ms)
                for name, path in models.items()
            }
    document = {"server": " ".join(server_command()), "tolerance": TOLERANCE, "models": checks}
    (output / "result.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _check_model(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    path: Path,
    card: ModelCard,
    pictures: list[bytes],
    features: Mapping[str, np.ndarray],
    most_p50_ms: float,
) -> dict[str, float]:
    name = card.model
    # Kept: a signature alone does not keep its model's variables alive.
    model = tf.saved_model.load(str(path))
    offline = model.signatures[names.SCORES](image_bytes=tf.constant(pictures))
    difference = _largest_difference(stub, name, model, offline, pictures)
    if features and not card.memory:
        difference = max(difference, _difference_from_features(stub, card, offline, features))
    if not difference <= TOLERANCE:
        raise GateError(f"{name}: a served score differs by {difference:.2g}; at most {TOLERANCE:g} is right")
    p50_ms = _median_ms(stub, name, pictures)
    if p50_ms > most_p50_ms:
        raise GateError(f"{name}: one picture takes {p50_ms:.1f} ms in the median; at most {most_p50_ms:g} ms is right")
    _log.info("%s served: largest difference %.1e, p50 %.1f ms", name, difference, p50_ms)
    return {"pictures": len(pictures), "largest_difference": difference, "p50_ms": p50_ms}


def _largest_difference(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    name: str,
    model: Any,
    offline: Mapping[str, tf.Tensor],
    pictures: list[bytes],
) -> float:
    difference = 0.0
    for index, picture in enumerate(pictures):
        # Beside a broken one, which must not spoil it.
        served = _predict(stub, name, names.SCORES, [picture, b"not a picture"])
        if served[names.IMAGE_OK].tolist() != [True, False]:
            raise GateError(f"{name}: image_ok is {served[names.IMAGE_OK].tolist()} for a good and a broken picture")
        for head in offline.keys() - {names.IMAGE_OK}:
            difference = max(difference, float(np.abs(served[head][0] - offline[head][index]).max()))
    if names.NEIGHBOURS in model.signatures:
        key = names.NEIGHBOUR_SIMILARITIES
        known = model.signatures[names.NEIGHBOURS](image_bytes=tf.constant(pictures[:1]))[key].numpy()
        found = _predict(stub, name, names.NEIGHBOURS, [pictures[0], b"not a picture"])[key]
        difference = max(difference, float(np.abs(found[0] - known[0]).max()), float(found[1].max()))
    return difference


def _difference_from_features(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    card: ModelCard,
    offline: Mapping[str, tf.Tensor],
    features: Mapping[str, np.ndarray],
) -> float:
    """How far served scores from another model's features are from those that the model finds in the pictures."""
    served = _call(stub, _feature_request(card, features))
    return max(float(np.abs(served[head] - offline[head]).max()) for head in card.heads)


def _features(path: Path, cards: Mapping[str, ModelCard], pictures: list[bytes]) -> dict[str, np.ndarray]:
    """What ``scores_from_features`` takes, of the pictures; empty where the models do not see and know the same."""
    telling, taking = cards[names.ARTICLE_TYPE], cards[names.CATEGORY]
    is_shared = bool(taking.shared_features) and taking.shared_features == telling.shared_features
    if not (is_shared and telling.memory):
        return {}
    inputs = {names.IMAGE: tf.constant(pictures)}
    if telling.name_weights:
        inputs[names.NAME] = tf.constant([""] * len(pictures))
    model = tf.saved_model.load(str(path))
    told = model.signatures[names.SCORES_WITH_MEMORY](**inputs)
    return {key: told[key].numpy() for key in names.OF_FEATURES}


def _median_ms(stub: prediction_service_pb2_grpc.PredictionServiceStub, name: str, pictures: list[bytes]) -> float:
    times = []
    for picture in pictures:
        start = time.perf_counter()
        _predict(stub, name, names.SERVING_DEFAULT, [picture])
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def _predict(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, name: str, signature: str, pictures: list[bytes]
) -> dict[str, np.ndarray]:
    return _call(stub, _request(name, signature, pictures))


def _call(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, request: predict_pb2.PredictRequest
) -> dict[str, np.ndarray]:
    try:
        response = stub.Predict(request, timeout=_CALL_SECONDS)
    except grpc.RpcError as error:
        spec = request.model_spec
        raise GateError(
            f"{spec.name}: {spec.signature_name} failed with {error.code().name}: {error.details()}"
        ) from error
    return {key: tf.make_ndarray(value) for key, value in response.outputs.items()}


def _request(name: str, signature: str, pictures: list[bytes]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    request.inputs[names.IMAGE].CopyFrom(tf.make_tensor_proto(pictures, tf.string))
    return request


def _feature_request(card: ModelCard, features: Mapping[str, np.ndarray]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = card.model, names.SCORES_FROM_FEATURES
    for key, values in features.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(values))
    return _with_name(request, card, len(features[names.FEATURES]))


def _with_name(request: predict_pb2.PredictRequest, card: ModelCard, size: int) -> predict_pb2.PredictRequest:
    if card.name_weights:
        request.inputs[names.NAME].CopyFrom(tf.make_tensor_proto([""] * size, tf.string))
    return request


def _write_warmup(path: Path, card: ModelCard, pictures: list[bytes], features: Mapping[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    signatures = [*_SERVED_SIGNATURES]
    signatures += [names.NEIGHBOURS] if card.known_pictures else []
    with tf.io.TFRecordWriter(str(path)) as writer:
        for size in _WARMUP_BATCHES:
            batch = (pictures * size)[:size]
            requests = [_request(card.model, signature, batch) for signature in signatures]
            if card.memory:
                requests.append(_with_name(_request(card.model, names.SCORES_WITH_MEMORY, batch), card, size))
            elif features:
                some = {key: np.resize(values, (size, *values.shape[1:])) for key, values in features.items()}
                requests.append(_feature_request(card, some))
            for request in requests:
                log = prediction_log_pb2.PredictLog(request=request)
                writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
