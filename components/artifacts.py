"""Artifact types that TFX does not have."""

from tfx.types import artifact


class CatalogueReport(artifact.Artifact):
    """``report.json`` (a :class:`~components.catalogue.report.report.Report`) and ``index.html`` for a person."""

    TYPE_NAME = "lookbook.CatalogueReport"


class QualityReport(artifact.Artifact):
    """``index.html`` and the pictures and tables it shows, for a person."""

    TYPE_NAME = "lookbook.QualityReport"


class ServingCheckResult(artifact.Artifact):
    """``result.json`` and, a folder a model, the warm-up requests that TensorFlow Serving replays on loading."""

    TYPE_NAME = "lookbook.ServingCheckResult"
