"""The contract of the REST API, through a plain HTTP client."""

import base64
from typing import Any

import grpc
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from schema import names
from serving.model_server.api.json_tensor import fill_inputs
from serving.model_server.errors import ServingError
from tests import tiny_models
from tests.model_server.running import RunningServer


def b64(colour: str) -> dict[str, str]:
    return {"b64": base64.b64encode(tiny_models.picture(colour)).decode()}


def labels(rows: list[dict[str, Any]], head: str) -> list[str]:
    return [row[names.labels_tensor(head)][0] for row in rows]


@pytest.mark.parametrize(("path", "weights"), [("category", 1), ("category/versions/1", 0), ("category/versions/2", 1)])
@pytest.mark.parametrize("named", [False, True])
def test_predict_by_row(server: RunningServer, path: str, weights: int, named: bool) -> None:
    """``instances`` come back as ``predictions``, row for row, from the version in the path."""
    rows = [{names.IMAGE: b64(colour)} if named else b64(colour) for colour in ("red", "blue")]
    response = server.rest.post(f"/v1/models/{path}:predict", json={"instances": rows})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    wanted = [tiny_models.expected(colour, weights)[names.SUB_CATEGORY] for colour in ("red", "blue")]
    assert labels(response.json()["predictions"], names.SUB_CATEGORY) == wanted


@pytest.mark.parametrize("inputs", [[b64("red")], {names.IMAGE: [b64("red")]}])
def test_predict_by_column(server: RunningServer, inputs: Any) -> None:
    """``inputs`` come back as ``outputs``, tensor by tensor, from the signature in the body."""
    body = {"signature_name": names.SCORES, "inputs": inputs}
    outputs = server.rest.post("/v1/models/article_type:predict", json=body).json()["outputs"]
    best = max(range(6), key=outputs[names.ARTICLE_TYPE][0].__getitem__)
    expected = tiny_models.expected("red", weights=1)[names.ARTICLE_TYPE]
    assert tiny_models.head_labels(names.ARTICLE_TYPE)[best] == expected
    assert outputs[names.IMAGE_OK] == [True]


def test_only_output_comes_bare(server: RunningServer) -> None:
    """A signature with one output answers without its name, and numbers are as short as they can be."""
    body = {"signature_name": names.METADATA, "instances": ["card", "unknown"]}
    card, unknown = server.rest.post("/v1/models/category:predict", json=body).json()["predictions"]
    assert '"taxonomy"' in card
    assert unknown == ""
    text = server.rest.post("/v1/models/category:predict", json={"instances": [{"b64": ""}]}).text
    assert "[0.0, 0.0, 0.0]" in text


ERRORS: dict[str, tuple[str, bytes | dict[str, Any], int, str]] = {
    "empty": ("category:predict", b"", 400, "The document is empty"),
    "no JSON": ("category:predict", b"{", 400, "JSON Parse error"),
    "too deep": ("category:predict", b"[" * 1_000_000, 400, "nested deeper than 32 levels"),
    "objects too deep": ("category:predict", b'{"a":' * 1_000_000, 400, "nested deeper than 32 levels"),
    "too deep inside": ("category:predict", b'{"inputs":' + b"[" * 40 + b"]" * 40 + b"}", 400, "deeper than 32 levels"),
    "brackets in text": ("category:predict", {"inputs": "[{" * 99 + '"\\'}, 400, "have shape [?] but get []"),
    "no object": ("category:predict", b"[1]", 400, "Is not object"),
    "no inputs": ("category:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
    "both": ("category:predict", {"inputs": [], "instances": []}, 400, "expecting only one of"),
    "no list": ("category:predict", {"instances": "x"}, 400, "to be an list/array"),
    "no rows": ("category:predict", {"instances": []}, 400, "No values in 'instances'"),
    "no base64": ("category:predict", {"instances": [{"b64": "?"}]}, 400, "Unable to base64 decode"),
    "wrong type": ("category:predict", {"instances": [1.5]}, 400, "1.5 is not of expected type: string"),
    "wrong key": ("category:predict", {"instances": [{"image": "x"}]}, 400, "keys must be equal to: image_bytes"),
    "mixed rows": ("category:predict", {"instances": ["x", ["y"]]}, 400, "Encountered list at unexpected level"),
    "ragged": ("category:predict", {"inputs": [["x"], ["y", "z"]]}, 400, "Encountered list at unexpected size: 2"),
    "no such input": ("category:predict", {"inputs": {"image": ["x"]}}, 400, "Missing named input: image_bytes"),
    "wrong rank": ("category:predict", {"instances": [["x"]]}, 400, "have shape [?] but get [1, 1]"),
    "signature no text": ("category:predict", {"signature_name": 1, "instances": ["x"]}, 400, "must be a string value"),
    "no such signature": ("category:predict", {"signature_name": "s", "instances": ["x"]}, 400, 'name: "s" not found'),
    "unknown model": ("shoes:predict", {"instances": ["x"]}, 404, "Servable not found for request: Latest(shoes)"),
    "unknown version": ("category/versions/9:predict", {"instances": ["x"]}, 404, "Specific(category, 9)"),
    "huge version": (f"category/versions/{2**70}:predict", {"instances": ["x"]}, 400, "Failed to convert version"),
    "unknown label": ("category/labels/x:predict", {"instances": ["x"]}, 400, "Unrecognized servable version label: x"),
    "other method": ("category:classify", {"examples": []}, 501, "not implemented"),
    "half a surrogate pair": ("category:predict", b'{"instances": ["\\ud800"]}', 400, "surrogates not allowed"),
    "half in a name": ("category:predict", b'{"signature_name": "\\udfff", "inputs": []}', 400, "surrogates not"),
    "base64 not ASCII": ("category:predict", {"instances": [{"b64": "é"}]}, 400, "Unable to base64 decode"),
    "no UTF-8": ("category:predict", '{"instances": ["x"]}'.encode("utf-16"), 400, "JSON Parse error"),
    "text without an end": ("category:predict", b'{"a": "' + b'\\"' * 500_000, 400, "Unterminated string"),
    "endless version": (f"category/versions/{'9' * 5000}:predict", {"instances": ["x"]}, 400, "Failed to convert"),
    "no method": ("category", {}, 400, "Malformed request: POST /v1/models/category"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "message"), ERRORS.values(), ids=list(ERRORS))
def test_predict_errors(
    server: RunningServer, path: str, body: bytes | dict[str, Any], status: int, message: str
) -> None:
    """Each mistake gets TensorFlow Serving's HTTP status, and a JSON object that says what is wrong."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    response = server.rest.post(f"/v1/models/{path}", **content)
    assert message in response.json()["error"]
    assert response.status_code == status


def test_broken_compression(server: RunningServer) -> None:
    """A body that is not compressed as it says is the caller's mistake, and the connection ends with the answer."""
    headers = {"Content-Encoding": "gzip"}
    response = server.rest.post("/v1/models/category:predict", content=b"plain", headers=headers)
    assert (response.status_code, "can't be read" in response.json()["error"]) == (400, True)
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize(("dtype", "number"), [(tf.int8, 128), (tf.uint8, -1), (tf.int32, 2**31), (tf.uint64, -1)])
def test_number_out_of_range(dtype: tf.DType, number: int) -> None:
    """A whole number that its type can't hold is refused, not taken for another one; the last that fits is taken."""
    infos = {"x": TensorInfo(dtype=dtype.as_datatype_enum)}
    with pytest.raises(ServingError, match=f"out of range for type {dtype.name}"):
        fill_inputs(PredictRequest(), {"inputs": [number]}, infos)
    request = PredictRequest()
    fill_inputs(request, {"inputs": [dtype.min, dtype.max]}, infos)
    assert tf.make_ndarray(request.inputs["x"]).tolist() == [dtype.min, dtype.max]


def test_status(server: RunningServer) -> None:
    """The status of a model, and of one of its versions."""
    versions = server.rest.get("/v1/models/category").json()["model_version_status"]
    ok = {"error_code": "OK", "error_message": ""}
    assert versions == [{"version": str(v), "state": "AVAILABLE", "status": ok} for v in (2, 1)]
    one = server.rest.get("/v1/models/category/versions/1").json()["model_version_status"]
    assert [version["version"] for version in one] == ["1"]


def test_metadata(server: RunningServer) -> None:
    """The signatures of a model with the types of their tensors."""
    document = server.rest.get("/v1/models/category/versions/1/metadata").json()
    assert document["model_spec"] == {"name": "category", "signature_name": "", "version": "1"}
    signature = document["metadata"]["signature_def"]["signature_def"][names.SCORES]
    assert signature["inputs"][names.IMAGE]["dtype"] == "DT_STRING"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/models", 400, "Missing model name"),
        ("/v1/models/shoes", 404, "Could not find any versions of model shoes"),
        ("/v1/models/category/versions/9", 404, "Could not find version 9"),
        ("/v1/models/shoes/metadata", 404, "Latest(shoes)"),
        ("/v1/elsewhere", 400, "Malformed request: GET /v1/elsewhere"),
    ],
)
def test_get_errors(server: RunningServer, path: str, status: int, message: str) -> None:
    """A wrong GET says what is wrong, as JSON."""
    response = server.rest.get(path)
    assert (response.status_code, message in response.json()["error"]) == (status, True)


def test_elsewhere(server: RunningServer) -> None:
    """Outside /v1 there is nothing."""
    assert server.rest.get("/").status_code == 404


def test_metrics(server: RunningServer) -> None:
    """Requests are counted by model and status, and an unknown name makes no series of its own."""
    name = ":tensorflow:serving:request_count"
    before = server.metric(name, model_name="category", status="OK")
    unknown = server.metric(name, model_name="unknown", status="NOT_FOUND")
    server.predict(names.CATEGORY, "red")
    with pytest.raises(grpc.RpcError):
        server.predict("shoes", "red")
    server.rest.post("/v1/models/category:predict", json={"instances": [b64("red")]})
    assert server.metric(name, model_name="category", status="OK") == before + 2
    assert server.metric(name, model_name="shoes") == 0
    assert server.metric(name, model_name="unknown", status="NOT_FOUND") == unknown + 1
    assert server.metric(":tensorflow:serving:request_latency_count", entrypoint="REST") >= 1
