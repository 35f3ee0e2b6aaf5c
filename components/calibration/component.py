"""Calibrates one of the two models; what it changes needs no training."""

from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.calibration.calibrating import Settings, calibrate
from schema import names


@component
def Calibrator(
    article_type_model: InputArtifact[standard_artifacts.Model],
    category_model: InputArtifact[standard_artifacts.Model],
    model: OutputArtifact[standard_artifacts.Model],
    name: Parameter[str],
    review_precision: Parameter[float],
    logit_adjustment: Parameter[float],
    trial: Parameter[bool],
    code: Parameter[str],
) -> None:
    """Fits scores, review thresholds and the joint answer's exponents on the eval split, and writes the model to serve.

    Args:
        article_type_model: as training left it, with its word on the eval split.
        category_model: the same. Both are needed, since the joint answer rests on both.
        model: the calibrated one of the two, and the curve of the joint exponents.
        name: which of the two.
        review_precision: share that has to be right at or above the review threshold.
        logit_adjustment: τ by which rare classes are named more often.
        trial: whether the card is to say that the release is a trial, of too few rows to mean much.
        code: hash of the source; there for TFX's cache alone.
    """
    trained = {names.ARTICLE_TYPE: article_type_model, names.CATEGORY: category_model}
    calibrate(
        name,
        {model_name: Path(path_utils.serving_model_path(one.uri)) for model_name, one in trained.items()},
        Settings(review_precision, logit_adjustment),
        Path(path_utils.serving_model_path(model.uri)),
        trial,
    )
