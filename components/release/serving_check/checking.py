"""What the serving check does: serve two SavedModels for real, ask, compare, measure."""

import json
import logging
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

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

_Inputs: TypeAlias = Mapping[str, Any]
"""Input of a signature → an array or a list, a row a picture."""


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
    differences = [*_differences(stub, card, model, offline, pictures)]
    if features and not card.memory:
        differences += _differences_from_features(stub, card, offline, features)
    # Of numpy: Python's own would pass over a NaN, which is further apart than anything.
    difference = float(np.max(differences))
    if not difference <= TOLERANCE:
        raise GateError(f"{name}: a served score differs by {difference:.2g}; at most {TOLERANCE:g} is right")
    p50_ms = _median_ms(stub, card, pictures)
    if p50_ms > most_p50_ms:
        raise GateError(f"{name}: one picture takes {p50_ms:.1f} ms in the median; at most {most_p50_ms:g} ms is right")
    _log.info("%s served: largest difference %.1e, p50 %.1f ms", name, difference, p50_ms)
    return {"pictures": len(pictures), "largest_difference": difference, "p50_ms": p50_ms}


def _differences(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    card: ModelCard,
    model: Any,
    offline: Mapping[str, tf.Tensor],
    pictures: list[bytes],
) -> Iterator[float]:
    for index, picture in enumerate(pictures):
        # Beside a broken one, which must not spoil it.
        served = _ask(stub, card, names.SCORES, {names.IMAGE: [picture, b"not a picture"]})
        if served[names.IMAGE_OK].tolist() != [True, False]:
            image_ok = served[names.IMAGE_OK].tolist()
            raise GateError(f"{card.model}: image_ok is {image_ok} for a good and a broken picture")
        for head in offline:
            yield _apart(served[head][0], offline[head][index])
    if names.NEIGHBOURS in model.signatures:
        key = names.NEIGHBOUR_SIMILARITIES
        known = model.signatures[names.NEIGHBOURS](image_bytes=tf.constant(pictures[:1]))[key].numpy()
        found = _ask(stub, card, names.NEIGHBOURS, {names.IMAGE: [pictures[0], b"not a picture"]})[key]
        yield from (_apart(found[0], known[0]), _apart(found[1], 0))


def _differences_from_features(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    card: ModelCard,
    offline: Mapping[str, tf.Tensor],
    features: Mapping[str, np.ndarray],
) -> Iterator[float]:
    """How far served scores from another model's features are from those that the model finds in the pictures."""
    served = _ask(stub, card, names.SCORES_FROM_FEATURES, features)
    return (_apart(served[head], offline[head]) for head in card.heads)


def _apart(served: np.ndarray, offline: Any) -> float:
    return float(np.max(np.abs(served - np.asarray(offline, np.float32))))


def _features(path: Path, cards: Mapping[str, ModelCard], pictures: list[bytes]) -> dict[str, np.ndarray]:
    """What ``scores_from_features`` takes, of the pictures; empty where the models do not see and know the same."""
    telling, taking = cards[names.ARTICLE_TYPE], cards[names.CATEGORY]
    is_shared = bool(taking.shared_features) and taking.shared_features == telling.shared_features
    if not (is_shared and telling.memory):
        return {}
    inputs = _with_name({names.IMAGE: pictures}, names.SCORES_WITH_MEMORY, telling)
    model = tf.saved_model.load(str(path))
    told = model.signatures[names.SCORES_WITH_MEMORY](**{key: tf.constant(values) for key, values in inputs.items()})
    return {key: told[key].numpy() for key in names.OF_FEATURES}


def _median_ms(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, card: ModelCard, pictures: list[bytes]
) -> float:
    times = []
    for picture in pictures:
        start = time.perf_counter()
        _ask(stub, card, names.SERVING_DEFAULT, {names.IMAGE: [picture]})
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def _ask(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, card: ModelCard, signature: str, inputs: _Inputs
) -> dict[str, np.ndarray]:
    try:
        response = stub.Predict(_request(card, signature, inputs), timeout=_CALL_SECONDS)
    except grpc.RpcError as error:
        raise GateError(f"{card.model}: {signature} failed with {error.code().name}: {error.details()}") from error
    return {key: tf.make_ndarray(value) for key, value in response.outputs.items()}


def _request(card: ModelCard, signature: str, inputs: _Inputs) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = card.model, signature
    for key, values in _with_name(inputs, signature, card).items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(values))
    return request


def _with_name(inputs: _Inputs, signature: str, card: ModelCard) -> _Inputs:
    """The inputs, with no name for each picture where the signature of this model takes one."""
    if not (card.name_weights and signature in (names.SCORES_WITH_MEMORY, names.SCORES_FROM_FEATURES)):
        return inputs
    return {**inputs, names.NAME: [""] * len(next(iter(inputs.values())))}


def _write_warmup(path: Path, card: ModelCard, pictures: list[bytes], features: Mapping[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    signatures = [*_SERVED_SIGNATURES]
    signatures += [names.NEIGHBOURS] if card.known_pictures else []
    signatures += [names.SCORES_WITH_MEMORY] if card.memory else []
    with tf.io.TFRecordWriter(str(path)) as writer:
        for size in _WARMUP_BATCHES:
            batch: _Inputs = {names.IMAGE: (pictures * size)[:size]}
            requests = [_request(card, signature, batch) for signature in signatures]
            if features and not card.memory:
                some = {key: np.resize(values, (size, *values.shape[1:])) for key, values in features.items()}
                requests.append(_request(card, names.SCORES_FROM_FEATURES, some))
            for request in requests:
                log = prediction_log_pb2.PredictLog(request=request)
                writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
