"""Resolves the baseline of an evaluation: the model of the latest release that is not the candidate itself."""

import logging
from pathlib import Path
from typing import Final

import tensorflow as tf
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.common import resolver
from tfx.utils import path_utils

from schema import model_card, names
from schema.card_fields import CardError
from schema.release_folder import ReleaseFolder

CANDIDATE = "candidate"
MODEL = "model"
RELEASE = "release"
EXAMPLES = "examples"

MOST_KNOWN: Final = 0.05
"""Share of the test rows that a baseline may have learnt from: it is right on them, which a candidate need not be."""

_log = logging.getLogger("lookbook.release")


class LatestReleasedModelStrategy(resolver.ResolverStrategy):
    """Picks from all models of a calibrator the newest that was released before the candidate.

    Takes four channels: ``candidate`` (the model to be evaluated), ``model`` (all models of that calibrator),
    ``release`` (all releases) and ``examples`` (those of the candidate). Leaving out the candidate and what came after
    it keeps a re-run without a change from evaluating a model against itself, and from missing the cache for that.
    """

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns ``{"model": [baseline]}``, or an empty list where none can be compared with."""
        candidate = max((model.id for model in input_dict[CANDIDATE]), default=0)
        releases = {uri: release for release in input_dict[RELEASE] for uri in _released_models(release)}
        earlier = [model for model in input_dict[MODEL] if model.id < candidate and model.uri in releases]
        there = [model for model in sorted(earlier, key=lambda model: model.id) if _is_there(model)]
        newest = [
            model for model in there[-1:] if _is_comparable(store, model, releases[model.uri], input_dict[EXAMPLES])
        ]
        return {key: newest if key == MODEL else [] for key in input_dict}


def _is_there(model: types.Artifact) -> bool:
    """Whether its files are: whoever needs room may remove old runs, and a release has files of its own."""
    is_there = Path(path_utils.serving_model_path(model.uri)).is_dir()
    if not is_there:
        _log.info("%s was removed; it is nothing to compare with", model.uri)
    return is_there


def _is_comparable(
    store: MetadataStore, model: types.Artifact, release: types.Artifact, candidate: list[types.Artifact]
) -> bool:
    """Whether there is a fair comparison with a model; where its files are not whole, none is better than no run."""
    try:
        return _has_heads(model) and _is_fair(store, release, candidate)
    except (OSError, CardError, tf.errors.OpError) as error:
        _log.info("no comparison with %s: %s", model.uri, error)
        return False


def _has_heads(model: types.Artifact) -> bool:
    """Whether there is anything to compare with: the catalogue of that release may have had nothing for this model."""
    return bool(model_card.read_file(Path(path_utils.serving_model_path(model.uri))).heads)


def _is_fair(store: MetadataStore, release: types.Artifact, candidate: list[types.Artifact]) -> bool:
    """Whether the test rows are new to a release too: another split may have had it learn from them."""
    [examples] = candidate
    version, learnt = release.get_int_custom_property("version"), _examples_of(store, release)
    if learnt == examples.uri:
        return True
    if not Path(learnt, f"Split-{names.TRAIN}").is_dir():
        _log.info("no comparison with release %d: the rows that it learnt from were removed", version)
        return False
    tested = _ids(examples.uri, names.TEST)
    learnt_from = _ids(learnt, names.TRAIN)
    if not learnt_from:
        raise FileNotFoundError(f"{learnt} has no rows of {names.TRAIN}")
    known = tested & (learnt_from | _ids(learnt, names.EVAL))
    if len(known) <= MOST_KNOWN * len(tested):
        return True
    _log.info("no comparison with release %d: it learnt from %d of %d test rows", version, len(known), len(tested))
    return False


def _examples_of(store: MetadataStore, release: types.Artifact) -> str:
    """Uri of the examples that a release was made from, by the record of how it was made."""
    made = [event.execution_id for event in store.get_events_by_artifact_ids([release.id])]
    taken = [
        event.artifact_id
        for event in store.get_events_by_execution_ids(made)
        if event.type == metadata_store_pb2.Event.INPUT and event.path.steps[0].key == EXAMPLES
    ]
    return next((artifact.uri for artifact in store.get_artifacts_by_id(taken[:1])), "")


def _ids(examples: str, split: str) -> set[bytes]:
    files = sorted(map(str, Path(examples, f"Split-{split}").glob("[!.]*")))  # no hidden ones, as the Finder leaves
    spec = {names.ID: tf.io.FixedLenFeature([], tf.string)}
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").batch(256)
    rows = records.map(lambda serialized: tf.io.parse_example(serialized, spec)[names.ID])
    return {row for batch in rows.as_numpy_iterator() for row in batch}


def _released_models(release: types.Artifact) -> list[str]:
    """Uris of the models of a release that still stands; a release that was rolled back is no measure."""
    manifest = Path(release.get_string_custom_property("manifest"))
    stands = ReleaseFolder(manifest.parents[1]).is_release(release.get_int_custom_property("version"))
    return release.get_string_custom_property("model_uris").split("\n") if stands else []
