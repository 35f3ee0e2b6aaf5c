"""The serving check, with a real model server process over tiny models."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.errors import GateError
from components.release.serving_check.checking import WARMUP_FILE, check_models
from schema import heads as table
from schema import names
from tests.tiny_models import COLOURS, graph, picture
from tests.tiny_models.graph import write_release


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    write_release(folder)
    return {name: folder / name / "1" for name in table.MODELS}


@pytest.fixture(scope="module")
def pictures():
    return [picture(colour) for colour in COLOURS]


def test_good_models_pass_and_get_warmup_requests(release, pictures, tmp_path):
    """Both models are served and agree with themselves; the requests that warm them up can be read back."""
    check_models(release, pictures, tmp_path, most_p50_ms=10_000)
    result = json.loads((tmp_path / "result.json").read_text())
    assert {name: one["pictures"] for name, one in result["models"].items()} == dict.fromkeys(table.MODELS, 6)
    counts = {
        name: sum(1 for _ in tf.data.TFRecordDataset(str(tmp_path / name / WARMUP_FILE))) for name in table.MODELS
    }
    assert counts == {names.ARTICLE_TYPE: 9, names.CATEGORY: 6}


def sharing(folder):
    """A release whose category model can answer from the other's features."""
    write_release(folder, shares=True, hears=True)
    return {name: folder / name / "1" for name in table.MODELS}


def test_models_that_share_features_are_asked_so_and_warmed_up_so(pictures, tmp_path):
    """What the category model says of features agrees with what it says of the pictures, names are no obstacle, and
    both models are warmed up by what a merger will ask."""
    check_models(sharing(tmp_path / "tiny"), pictures, tmp_path / "out", most_p50_ms=10_000)
    asked = {}
    for name in table.MODELS:
        records = tf.data.TFRecordDataset(str(tmp_path / "out" / name / WARMUP_FILE)).as_numpy_iterator()
        logs = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
        asked[name] = {log.model_spec.signature_name: set(log.inputs) for log in logs}
    told = {names.FEATURES, names.VOTERS, names.VOTER_WEIGHTS, names.NAME}
    assert asked[names.ARTICLE_TYPE][names.SCORES_WITH_MEMORY] == {names.IMAGE, names.NAME}
    assert asked[names.CATEGORY][names.SCORES_FROM_FEATURES] == told


def test_a_model_that_answers_otherwise_from_features_is_refused(pictures, tmp_path, monkeypatch):
    """A merger that asks so would give other answers than those that were measured."""
    real = graph.from_features_function
    monkeypatch.setattr(graph, "from_features_function", lambda card, weights: real(card, weights + 1))
    with pytest.raises(GateError, match="category: a served score differs by"):
        check_models(sharing(tmp_path / "tiny"), pictures, tmp_path / "out", most_p50_ms=10_000)


def test_a_model_that_answers_otherwise_when_served_is_refused(release, pictures, tmp_path, monkeypatch):
    """Answers that differ from those computed in process stop the release, with the difference."""
    other = tmp_path / "other"
    write_release(other, weights=1)
    load = tf.saved_model.load
    monkeypatch.setattr(tf.saved_model, "load", lambda path: load(path.replace(str(release_root(release)), str(other))))
    with pytest.raises(GateError, match="differs by"):
        check_models(release, pictures, tmp_path / "out", most_p50_ms=10_000)


@pytest.mark.parametrize("spoilt", ["head_scores", "from_features_function"])
def test_scores_that_are_no_numbers_are_refused(pictures, tmp_path, monkeypatch, spoilt):
    """A NaN is equal to nothing, not even to the same NaN computed in process."""
    real = getattr(graph, spoilt)
    nan = {
        "head_scores": lambda products, head: real(products, head) * np.nan,
        "from_features_function": lambda card, weights: (
            lambda features, voters, voter_weights: {
                name: values if values.dtype == tf.bool else values * np.nan
                for name, values in real(card, weights)(features, voters, voter_weights).items()
            }
        ),
    }
    monkeypatch.setattr(graph, spoilt, nan[spoilt])
    with pytest.raises(GateError, match="a served score differs by nan"):
        check_models(sharing(tmp_path / "tiny"), pictures, tmp_path / "out", most_p50_ms=10_000)


def release_root(release):
    return release[names.CATEGORY].parents[1]


def test_the_server_is_started_as_in_production(release, pictures, tmp_path, monkeypatch):
    """The model server gets the flags of start.flags, in their order, with local paths and a port of its own."""
    binary = tmp_path / "tensorflow_model_server"
    binary.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/flags\nexit 3\n')
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(GateError, match="ended with code 3"):
        check_models(release, pictures, tmp_path / "out", most_p50_ms=10_000)
    text = (Path(__file__).parents[3] / "serving/tensorflow_serving/start.flags").read_text()
    wanted = dict(line.split("=", 1) for line in text.splitlines() if line.startswith("--"))
    given = dict(line.split("=", 1) for line in (tmp_path / "flags").read_text().splitlines())
    assert list(given) == list(wanted)
    changed = {name for name in wanted if given[name] != wanted[name]}
    assert changed == {"--port", "--model_config_file", "--batching_parameters_file"}


def test_a_model_that_cannot_be_loaded_is_refused(pictures, tmp_path):
    """A graph that no server can read stops the release with the server's words, soon."""
    write_release(tmp_path / "broken", broken="garbage", models=[names.CATEGORY])
    write_release(tmp_path / "broken", models=[names.ARTICLE_TYPE])
    models = {name: tmp_path / "broken" / name / "1" for name in table.MODELS}
    with pytest.raises(GateError, match="category"):
        check_models(models, pictures, tmp_path / "out", most_p50_ms=10_000)


def test_a_model_that_is_too_slow_is_refused(release, pictures, tmp_path):
    """A median time above the limit stops the release, with both figures."""
    with pytest.raises(GateError, match=r"one picture takes .* ms in the median; at most 0.001 ms is right"):
        check_models(release, pictures, tmp_path, most_p50_ms=0.001)
