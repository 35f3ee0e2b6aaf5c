"""Each gate says no to a model that deserves it: the Evaluator's configuration run by TFMA itself, and the release."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2
from tfx.types import standard_artifacts

from components.artifacts import QualityReport, ServingCheckResult
from components.errors import GateError
from components.evaluation.gates import CANDIDATE, eval_config
from components.evaluation.results import EvaluationResult
from components.evaluation.tfma_metrics import BASELINE
from components.release.paired_release import PairedRelease
from schema import heads as table
from schema import names

ROWS, CLASSES = 120, 3
TRUTHS = np.arange(ROWS) % CLASSES


class Oracle(tf.Module):
    """A model whose scores are known beforehand: the picture ``b"7"`` is row 7, the label ``"2"`` has the id 2."""

    def __init__(self, scores):
        super().__init__()
        self._scores = tf.Variable(scores.astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=names.IMAGE)])
    def scores(self, image_bytes):
        rows = tf.strings.to_number(image_bytes, tf.int32)
        return {names.ARTICLE_TYPE: tf.gather(self._scores, rows), names.IMAGE_OK: tf.ones_like(rows, tf.bool)}

    def label_ids(self, **labels):
        heads = table.taxonomy()
        return {names.label_id(head.name): tf.strings.to_number(labels[head.column], tf.int64) for head in heads}

    def save(self, folder: Path) -> Path:
        specs = {column: tf.TensorSpec([None], tf.string, name=column) for column in table.columns()}
        ids = tf.function(self.label_ids).get_concrete_function(**specs)
        tf.saved_model.save(self, str(folder), signatures={names.SCORES: self.scores, names.LABEL_IDS: ids})
        return folder


def sure_of(answers, confidence):
    """Scores float[N, C] with that confidence in each row's answer."""
    return np.where(np.eye(CLASSES)[answers] > 0, confidence, (1 - confidence) / (CLASSES - 1))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Uris of two evaluations against a good baseline: of a model as good, and of one that is bad throughout."""
    folder = tmp_path_factory.mktemp("gates")
    with tf.io.TFRecordWriter(str(folder / "rows.gz"), "GZIP") as writer:
        for row, truth in enumerate(TRUTHS):
            cells = {names.IMAGE: str(row), **dict.fromkeys(table.columns(), str(truth))}
            feature = {
                key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[cell.encode()]))
                for key, cell in cells.items()
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    good = Oracle(sure_of(TRUTHS, 0.95)).save(folder / "good")
    bad = Oracle(sure_of((TRUTHS + 1) % CLASSES, 0.95)).save(folder / "bad")
    return {name: evaluate(model, good, folder) for name, model in {"good": good, "bad": bad}.items()}


def evaluate(candidate: Path, baseline: Path, folder: Path) -> str:
    config = eval_config([table.head(names.ARTICLE_TYPE)])
    # No slices: the rows have no such columns, and gates look at all rows.
    config = config_pb2.EvalConfig(model_specs=config.model_specs, metrics_specs=config.metrics_specs)
    models = [
        tfma.default_eval_shared_model(str(path), eval_config=config, model_name=name)
        for name, path in ((CANDIDATE, candidate), (BASELINE, baseline))
    ]
    output = str(folder / f"evaluation of {candidate.name}")
    tfma.run_model_analysis(
        eval_shared_model=models, eval_config=config, data_location=str(folder / "rows.gz"), output_path=output
    )
    return output


def test_a_good_model_is_not_refused(evaluated):
    """The counterpart of the next test: a model as good as the last release meets no objection."""
    assert EvaluationResult(evaluated["good"]).refusals() == []


@pytest.mark.parametrize("gate", ["skill", "ece", "against the latest release"])
def test_each_gate_refuses_a_bad_model(evaluated, gate):
    """Worse than always saying the commonest label, sure of it, and worse than the last release: each is said."""
    refusals = EvaluationResult(evaluated["bad"]).refusals()
    assert len(refusals) == 3
    assert sum(gate in sentence for sentence in refusals) == 1, refusals


@pytest.mark.parametrize("bad", ["article_type_evaluation", "category_evaluation"])
def test_one_bad_model_of_a_pair_stops_the_release(evaluated, tmp_path, bad):
    """The release of both is refused with the reasons, whichever of them is bad, and nothing is written."""
    inputs = {name: at(standard_artifacts.Model(), tmp_path) for name in ("article_type_model", "category_model")}
    for name in ("article_type_evaluation", "category_evaluation"):
        inputs[name] = at(standard_artifacts.ModelEvaluation(), evaluated["bad" if name == bad else "good"])
    with pytest.raises(GateError, match=r"no release: article_type: skill"):
        PairedRelease.EXECUTOR_SPEC.executor_class._FUNCTION(
            **inputs,
            serving_check=at(ServingCheckResult(), tmp_path),
            report=at(QualityReport(), tmp_path),
            examples=at(standard_artifacts.Examples(), tmp_path),
            release=standard_artifacts.PushedModel(),
            directory=str(tmp_path / "release"),
            provenance="{}",
            thumbnails=False,
            code="",
        )
    assert not (tmp_path / "release").exists()


def at(artifact, uri):
    artifact.uri = str(uri)
    return artifact
