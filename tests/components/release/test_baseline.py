"""With which release a candidate is compared: one whose files are there, and that does not know the test rows."""

import json
import logging

import pytest
import tensorflow as tf
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts

from components.release.baseline import LatestReleasedModelStrategy
from schema import heads as table
from schema import model_card, names
from tests.tiny_models import make_card

SPLITS = {names.TRAIN: range(80), names.EVAL: range(80, 90), names.TEST: range(90, 100)}


def examples_at(folder, splits):
    for split, ids in splits.items():
        (folder / f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(str(folder / f"Split-{split}/rows.gz"), "GZIP") as writer:
            for row in ids:
                text = tf.train.Feature(bytes_list=tf.train.BytesList(value=[str(row).encode()]))
                example = tf.train.Example(features=tf.train.Features(feature={names.ID: text}))
                writer.write(example.SerializeToString())
    return folder


class Record:
    """A record of one release, made from the examples in ``old``, and a candidate after it."""

    def __init__(self, folder):
        self.folder = folder
        config = mlmd.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = MetadataStore(config)
        self.model = self.artifact(standard_artifacts.Model(), folder / "model/1")
        model_card.write_file(folder / "model/1/Format-Serving", make_card(names.CATEGORY))
        self.candidate = self.artifact(standard_artifacts.Model(), folder / "model/2")
        self.release = self.artifact(standard_artifacts.PushedModel(), folder / "pushed")
        self.release.set_int_custom_property("version", 1)
        self.release.set_string_custom_property("manifest", str(folder / "release/manifests/1.json"))
        self.release.set_string_custom_property("model_uris", self.model.uri)
        for path in (f"{model}/1" for model in table.MODELS):
            (folder / "release" / path).mkdir(parents=True)
        (folder / "release/manifests").mkdir()
        (folder / "release/manifests/1.json").write_text(json.dumps({"version": 1}))
        self.publish(self.artifact(standard_artifacts.Examples(), examples_at(folder / "old", SPLITS)))

    def artifact(self, artifact, uri):
        uri.mkdir(parents=True, exist_ok=True)
        kind = self.store.put_artifact_type(mlmd.ArtifactType(name=artifact.type_name))
        artifact.uri = str(uri)
        [artifact.id] = self.store.put_artifacts([mlmd.Artifact(type_id=kind, uri=str(uri))])
        return artifact

    def publish(self, examples):
        kind = self.store.put_execution_type(mlmd.ExecutionType(name="PairedRelease"))
        [execution] = self.store.put_executions([mlmd.Execution(type_id=kind)])
        for key, artifact, way in (
            ("examples", examples, mlmd.Event.INPUT),
            ("release", self.release, mlmd.Event.OUTPUT),
        ):
            event = mlmd.Event(artifact_id=artifact.id, execution_id=execution, type=way)
            event.path.steps.add().key = key
            self.store.put_events([event])

    def baseline(self, examples):
        new = standard_artifacts.Examples()
        new.uri = str(examples)
        given = {
            "candidate": [self.candidate],
            "model": [self.model, self.candidate],
            "release": [self.release],
            "examples": [new],
        }
        found = LatestReleasedModelStrategy().resolve_artifacts(self.store, given)
        assert [key for key, artifacts in found.items() if artifacts] in ([], ["model"])
        return [model.uri for model in found["model"]]


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path)


def test_a_release_of_the_same_rows_is_compared_with(record):
    """The same examples, or others that have the same rows for the test."""
    same = examples_at(record.folder / "same", SPLITS)
    assert record.baseline(record.folder / "old") == record.baseline(same) == [record.model.uri]


def test_a_release_that_learnt_from_the_test_rows_is_no_measure(record, caplog):
    """It remembers them: an honest candidate of another split would seem to have got worse, for ever."""
    other = examples_at(record.folder / "other", {names.TEST: [*range(5), *range(90, 95)]})
    with caplog.at_level(logging.INFO, "lookbook.release"):
        assert record.baseline(other) == []
    assert "no comparison with release 1: it learnt from 5 of 10 test rows" in caplog.text


def test_rows_that_were_removed_cannot_be_compared(record, caplog):
    """Whether the release knows the test rows cannot be told any more, and the log says so."""
    new = examples_at(record.folder / "new", SPLITS)
    (record.folder / "old").rename(record.folder / "gone")
    with caplog.at_level(logging.INFO, "lookbook.release"):
        assert record.baseline(new) == []
    assert "the rows that it learnt from were removed" in caplog.text


def test_a_model_that_was_removed_stops_no_run(record, caplog):
    """Old runs may be removed to make room; the release has files of its own."""
    (record.folder / "model/1").rename(record.folder / "gone")
    with caplog.at_level(logging.INFO, "lookbook.release"):
        assert record.baseline(record.folder / "old") == []
    assert "was removed; it is nothing to compare with" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "old/Split-train/rows.gz").write_bytes(b"no record"), "no comparison with"),
        (lambda folder: (folder / "old/Split-train/rows.gz").unlink(), "has no rows of train"),
        (lambda folder: (folder / "model/1/Format-Serving/assets.extra/card.json").unlink(), "card.json"),
    ],
    ids=["rows that are damaged", "rows that were cleared away", "a model without its card"],
)
def test_what_is_not_whole_stops_no_run(record, caplog, spoil, words):
    """There is no comparison then, and a word why: a run that stopped could never make the release that ends it."""
    new = examples_at(record.folder / "new", SPLITS)
    spoil(record.folder)
    with caplog.at_level(logging.INFO, "lookbook.release"):
        assert record.baseline(new) == []
    assert words in caplog.text


def test_what_the_finder_leaves_beside_rows_is_no_row(record):
    """Hidden files are not read."""
    (record.folder / "old/Split-train/.DS_Store").write_bytes(b"no record")
    assert record.baseline(examples_at(record.folder / "new", SPLITS)) == [record.model.uri]
