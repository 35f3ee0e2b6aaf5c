"""What the serving check does: serve two SavedModels for real, ask, compare, measure."""

import json
import logging
import shutil
import statistics
import tempfile
import time
from pathlib import Path

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
    for name, path in models.items():
        _write_warmup(output / name / WARMUP_FILE, name, pictures, model_card.read_file(path))
    # Below the root, whose path is looked at before a run; that of TMPDIR may be any.
    with tempfile.TemporaryDirectory(prefix="check-", dir=output) as folder:
        staged = Path(folder)
        for name, path in models.items():
            shutil.copytree(path, staged / name / "1")
            shutil.copytree(output / name, staged / name / "1" / "assets.extra", dirs_exist_ok=True)
        with model_server(staged, output / "server.log") as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            checks = {name: _check_model(stub, name, path, pictures, most_p50_ms) for name, path in models.items()}
    document = {"server": " ".join(server_command()), "tolerance": TOLERANCE, "models": checks}
    (output / "result.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _check_model(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
    name: str,
    path: Path,
    pictures: list[bytes],
    most_p50_ms: float,
) -> dict[str, float]:
    difference = _largest_difference(stub, name, path, pictures)
    if not difference <= TOLERANCE:
        raise GateError(f"{name}: a served score differs by {difference:.2g}; at most {TOLERANCE:g} is right")
    p50_ms = _median_ms(stub, name, pictures)
    if p50_ms > most_p50_ms:
        raise GateError(f"{name}: one picture takes {p50_ms:.1f} ms in the median; at most {most_p50_ms:g} ms is right")
    _log.info("%s served: largest difference %.1e, p50 %.1f ms", name, difference, p50_ms)
    return {"pictures": len(pictures), "largest_difference": difference, "p50_ms": p50_ms}


def _largest_difference(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, name: str, path: Path, pictures: list[bytes]
) -> float:
    # Kept by name: a signature alone does not keep its model's variables alive.
    model = tf.saved_model.load(str(path))
    offline = model.signatures[names.SCORES](image_bytes=tf.constant(pictures))
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
    try:
        response = stub.Predict(_request(name, signature, pictures), timeout=_CALL_SECONDS)
    except grpc.RpcError as error:
        raise GateError(f"{name}: {signature} failed with {error.code().name}: {error.details()}") from error
    return {key: tf.make_ndarray(value) for key, value in response.outputs.items()}


def _request(name: str, signature: str, pictures: list[bytes]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    request.inputs[names.IMAGE].CopyFrom(tf.make_tensor_proto(pictures, tf.string))
    return request


def _write_warmup(path: Path, name: str, pictures: list[bytes], card: ModelCard) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    signatures = [*_SERVED_SIGNATURES]
    signatures += [names.NEIGHBOURS] if card.known_pictures else []
    signatures += [names.SCORES_WITH_MEMORY] if card.memory else []
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature in signatures:
            for size in _WARMUP_BATCHES:
                batch = (pictures * size)[:size]
                request = _request(name, signature, batch)
                if signature == names.SCORES_WITH_MEMORY and card.name_weights:
                    request.inputs[names.NAME].CopyFrom(tf.make_tensor_proto([""] * size, tf.string))
                log = prediction_log_pb2.PredictLog(request=request)
                writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
