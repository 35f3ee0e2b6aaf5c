"""What a model server answers, and how it refuses."""

from array import array
from collections import Counter
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from schema import names
from schema.model_card import ModelCard
from serving.merger.core.release import make_release
from serving.merger.models import tensors
from serving.merger.models.messages import ScoresRequest, put_inputs, read_scores
from serving.merger.models.retries import is_overload
from serving.stubs.tensorflow.core.framework import tensor_pb2, types_pb2
from serving.stubs.tensorflow_serving.apis import predict_pb2
from tests.contract.server import NEVER, NOBODY, PATIENCE_S, Server
from tests.contract.test_models import refusal

BURST = 400


def shape(tensor: Any) -> list[int]:
    return [dimension.size for dimension in tensor.tensor_shape.dim]


def values(tensor: Any) -> list[Any]:
    """The values of a tensor of floats or texts, whichever way they were sent."""
    if tensor.dtype == types_pb2.DT_FLOAT:
        return list(array("f", tensor.tensor_content) if tensor.tensor_content else tensor.float_val)
    return list(tensor.string_val)


def test_the_newest_version_answers(server: Server) -> None:
    """Without a version the newest answers, and says its name, version and signature."""
    for model in server.models:
        spec = server.ask(server.request(model)).model_spec
        assert (spec.name, spec.version.value) == (model, server.versions(model)[-1])
        assert spec.signature_name == "serving_default"


def test_each_version_answers_by_number(server: Server) -> None:
    """The version that was asked for answers, while it is there: the merger names one in every call."""
    for model in server.models:
        for version in server.versions(model):
            assert server.ask(server.request(model, version=version)).model_spec.version.value == version


def test_rows_are_each_their_own(server: Server, model: str) -> None:
    """Rows that go together come back in their order, as each would alone: none spoils its neighbour."""
    together = server.ask(server.request(model, rows=3))
    alone = server.ask(server.request(model, rows=1))
    assert together.outputs.keys() == alone.outputs.keys()
    for name, tensor in alone.outputs.items():
        assert shape(together.outputs[name]) == [3, *shape(tensor)[1:]]
        first = values(together.outputs[name])[: len(values(tensor))]
        if tensor.dtype == types_pb2.DT_FLOAT:
            assert first == pytest.approx(values(tensor), abs=1e-3)
        else:
            assert first == values(tensor)


def test_only_what_was_asked_for(server: Server, model: str) -> None:
    """An output filter is kept to."""
    request = server.request(model)
    wanted = sorted(server.ask(request).outputs)[0]
    request.output_filter.append(wanted)
    assert list(server.ask(request).outputs) == [wanted]


def card_of(server: Server, model: str) -> ModelCard:
    if names.METADATA not in server.signatures(model):
        pytest.skip(f"{model} is no model of Lookbook's: it has no signature {names.METADATA!r}")
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, names.METADATA
    tensors.put_bytes(request.inputs[names.METADATA_KEYS], [names.CARD_KEY.encode()])
    return ModelCard.from_json(tensors.to_text(server.ask(request).outputs[names.METADATA_VALUES]))


def test_the_card_of_a_lookbook_model(server: Server) -> None:
    """Scores come with the card that says what they mean."""
    for model in server.models:
        assert card_of(server, model).taxonomy


def test_a_model_answers_from_what_another_saw(server: Server) -> None:
    """What a merger hands on, several rows at once and numbers as raw bytes, gives the scores of the pictures."""
    cards = {model: card_of(server, model) for model in server.models}
    pairs = make_release(1, cards, {}).features_from
    if not pairs:
        pytest.skip(f"{', '.join(cards)} share no features")
    ((taking, telling),) = pairs.items()
    pictures = list(server.request(telling, rows=3).inputs[names.IMAGE].string_val)

    def scores(model: str, **more: Any) -> Any:
        asked = ScoresRequest(**{"images": pictures, "version": 1, "card": cards[model], **more})
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = model, asked.signature
        put_inputs(request, asked)
        return read_scores(server.ask(request), asked, 0.0)

    features = scores(telling, with_features=True).features
    expected, found = scores(taking).heads, scores(taking, images=[], features=features).heads
    for head, rows in expected.items():
        assert [list(row) for row in found[head]] == [pytest.approx(list(row), abs=1e-3) for row in rows]


def drop_inputs(request: predict_pb2.PredictRequest) -> None:
    request.inputs.clear()


def add_input(request: predict_pb2.PredictRequest) -> None:
    request.inputs["one_too_many"].CopyFrom(tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1.0]))


def change_type(request: predict_pb2.PredictRequest) -> None:
    for tensor in request.inputs.values():
        other = types_pb2.DT_FLOAT if tensor.dtype == types_pb2.DT_STRING else types_pb2.DT_STRING
        tensor.Clear()
        tensor.dtype = other
        tensor.tensor_shape.dim.add(size=1)
        tensor.float_val.append(1.0) if other == types_pb2.DT_FLOAT else tensor.string_val.append(b"")


def ask_for_an_unknown_output(request: predict_pb2.PredictRequest) -> None:
    request.output_filter.append("no_such_output")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda r: r.model_spec.ClearField("name"), "INVALID_ARGUMENT", ""),
        (lambda r: setattr(r.model_spec, "name", NOBODY), "NOT_FOUND", f"request: Latest({NOBODY})"),
        (lambda r: setattr(r.model_spec.version, "value", NEVER), "NOT_FOUND", f"{NEVER})"),
        (lambda r: setattr(r.model_spec, "version_label", "no_such_label"), "INVALID_ARGUMENT", "no_such_label"),
        (lambda r: setattr(r.model_spec, "signature_name", "no_such_one"), "FAILED_PRECONDITION", "no_such_one"),
        (drop_inputs, "INVALID_ARGUMENT", "input size does not match signature"),
        (add_input, "INVALID_ARGUMENT", "input size does not match signature"),
        (change_type, "INVALID_ARGUMENT", ""),
        (ask_for_an_unknown_output, "INVALID_ARGUMENT", "no_such_output"),
    ],
    ids=["no name", "model", "version", "label", "signature", "no input", "extra input", "type", "output"],
)
def test_refusals(server: Server, model: str, change: Callable[[Any], Any], code: str, words: str) -> None:
    """Each mistake has TensorFlow Serving's code; the merger goes by NOT_FOUND for a version that is gone."""
    request = server.request(model)
    change(request)
    found = refusal(server.predictions.Predict, request)
    assert (found[0], words in found[1]) == (code, True), found


def test_no_time(server: Server, model: str) -> None:
    """A call whose time runs out is DEADLINE_EXCEEDED, unless it was answered before anybody looked at the clock."""
    request = server.request(model, rows=32)
    calls = [server.predictions.Predict.future(request, timeout=0.0001) for _ in range(32)]
    codes = {call.code() for call in calls}
    assert grpc.StatusCode.DEADLINE_EXCEEDED in codes
    assert codes <= {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.OK}


def test_too_many_at_once(server: Server, model: str) -> None:
    """Of a burst each call is answered, or refused in one of the two ways that the merger knows for too much to do."""
    request = server.request(model)
    calls = [server.predictions.Predict.future(request, timeout=PATIENCE_S) for _ in range(BURST)]
    outcomes = Counter("answered" if call.code() is grpc.StatusCode.OK else _how(call) for call in calls)
    assert set(outcomes) <= {"answered", "too much to do"}, outcomes
    assert outcomes["answered"]


def _how(call: Any) -> str:
    return "too much to do" if is_overload(call) else f"{call.code().name}: {call.details()}"
