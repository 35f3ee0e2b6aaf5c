"""Serves both candidates with a real model server and compares its answers with those computed in process."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils

from components.artifacts import ServingCheckResult
from components.errors import GateError
from components.release.serving_check.checking import check_models
from schema import names

_PICTURES = 32


@component
def ServingCheck(
    article_type_model: InputArtifact[standard_artifacts.Model],
    category_model: InputArtifact[standard_artifacts.Model],
    examples: InputArtifact[standard_artifacts.Examples],
    result: OutputArtifact[ServingCheckResult],
    most_p50_ms: Parameter[float],
    code: Parameter[str],
) -> None:
    """Checks both candidates as they will be served.

    Args:
        article_type_model: a calibrated model.
        category_model: the other one.
        examples: whose test split lends the pictures.
        result: ``result.json``, and ``<model>/tf_serving_warmup_requests`` for the release.
        most_p50_ms: gate on the median time of one picture through one model, in milliseconds.
        code: hash of the source; there for TFX's cache alone.

    Raises:
        GateError: the server did not start, an answer differs, a broken picture spoils its neighbours, or it is slow.
    """
    uris = {names.ARTICLE_TYPE: article_type_model.uri, names.CATEGORY: category_model.uri}
    models = {name: Path(path_utils.serving_model_path(uri)) for name, uri in uris.items()}
    check_models(models, _read_pictures(examples), Path(result.uri), most_p50_ms)


def _read_pictures(examples: Any) -> list[bytes]:
    files = tf.io.gfile.glob(artifact_utils.get_split_uri([examples], names.TEST) + "/*")
    spec = {names.IMAGE: tf.io.FixedLenFeature([], tf.string)}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP").take(_PICTURES)
    pictures = [tf.io.parse_single_example(record, spec)[names.IMAGE].numpy() for record in records]
    if not pictures:
        raise GateError("the test split has no pictures, so serving cannot be checked; give the catalogue more rows")
    return pictures
