"""Draws the evaluation and the training of both models onto one page."""

import shutil
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import plots
from components.artifacts import QualityReport as QualityReportArtifact
from components.card import read_card
from components.evaluation_results import EvaluationResult
from components.quality_report.page import HeadSection, render_page


@component
def QualityReport(
    article_type_model: InputArtifact[standard_artifacts.Model],
    category_model: InputArtifact[standard_artifacts.Model],
    article_type_evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    category_evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    article_type_run: InputArtifact[standard_artifacts.ModelRun],
    category_run: InputArtifact[standard_artifacts.ModelRun],
    report: OutputArtifact[QualityReportArtifact],
    code: Parameter[str],
):
    """Writes ``index.html``, its pictures and a CSV of per-class figures a head.

    ``code``, a hash of the source, is there for TFX's cache alone.
    """
    directory = Path(report.uri)
    directory.mkdir(parents=True, exist_ok=True)
    sections = [
        section
        for model, evaluation, run in (
            (article_type_model, article_type_evaluation, article_type_run),
            (category_model, category_evaluation, category_run),
        )
        for section in _sections(model.uri, EvaluationResult(evaluation.uri), Path(run.uri), directory)
    ]
    (directory / "index.html").write_text(render_page(sections), encoding="utf-8")


def _sections(model_uri: str, result: EvaluationResult, run: Path, directory: Path) -> list[HeadSection]:
    card = read_card(Path(path_utils.serving_model_path(model_uri)))
    return [
        _section(head, description, result, run, directory)
        for head, description in card["heads"].items()
        if head in result.figures()
    ]


def _section(head: str, description: dict, result: EvaluationResult, run: Path, directory: Path) -> HeadSection:
    labels, figures = description["labels"], result.figures()[head]
    tally = result.tally(head, labels)
    per_class = tally.per_class()
    per_class.to_csv(directory / f"{head}_per_class.csv", index=False)
    training = directory / f"{head}_training.png"
    shutil.copy2(run / training.name, training)
    pictures = [
        plots.plot_confusion(tally.confusion_matrix(labels), labels, head, directory),
        plots.plot_reliability(tally.reliability(), head, figures["ece"], directory),
        training,
    ]
    slices = [(name, values) for slice_head, name, values in result.slice_figures() if slice_head == head]
    return HeadSection(head, description, figures, per_class, slices, pictures, tally.worst_pairs(10))
