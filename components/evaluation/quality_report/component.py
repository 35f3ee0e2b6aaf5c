"""Draws the evaluation and the training of both models onto one page."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils, path_utils

from components import plots
from components.artifacts import CatalogueReport
from components.artifacts import QualityReport as QualityReportArtifact
from components.calibration.calibrating import JOINT_CURVE
from components.catalogue.report.report import REPORT_JSON, Report
from components.evaluation.familiarity import auroc
from components.evaluation.quality_report import analysis
from components.evaluation.quality_report.alike import judge_neighbours
from components.evaluation.quality_report.files import AGAINST, JOINT
from components.evaluation.quality_report.page import CATALOGUE, FIGURES, Overview, render_page
from components.evaluation.quality_report.predictions import SplitPredictions, predict_split, texts_of
from components.evaluation.quality_report.sections import make_section
from components.evaluation.quality_report.summary import summarise
from components.evaluation.quality_report.with_names import judge_names
from components.evaluation.results import EvaluationResult, plain_figures
from schema import names


@component
def QualityReport(
    article_type_model: InputArtifact[standard_artifacts.Model],
    category_model: InputArtifact[standard_artifacts.Model],
    article_type_evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    article_type_run: InputArtifact[standard_artifacts.ModelRun],
    category_run: InputArtifact[standard_artifacts.ModelRun],
    examples: InputArtifact[standard_artifacts.Examples],
    catalogue: InputArtifact[CatalogueReport],
    report: OutputArtifact[QualityReportArtifact],
    code: Parameter[str],
    category_evaluation: InputArtifact[standard_artifacts.ModelEvaluation] = None,
) -> None:
    """Writes ``index.html`` with the report on the catalogue beside it, and the same figures for machines.

    ``figures.json``: head → its figures, with ``ece_before`` calibration. As CSV: the figures of each head's classes,
    the ways to one answer, the joint exponents tried, how familiar is what is no product, and the release before on the
    same pictures. There is no ``category_evaluation`` where that model has no heads.

    ``code``, a hash of the source, is there for TFX's cache alone.
    """
    directory = Path(report.uri)
    directory.mkdir(parents=True, exist_ok=True)
    models = {names.ARTICLE_TYPE: article_type_model, names.CATEGORY: category_model}
    files, trained, fitted = (
        tf.io.gfile.glob(io_utils.all_files_pattern(artifact_utils.get_split_uri([examples], split)))
        for split in (names.TEST, names.TRAIN, names.EVAL)
    )
    paths = {name: Path(path_utils.serving_model_path(model.uri)) for name, model in models.items()}
    predictions = predict_split(paths, files)
    results = {names.ARTICLE_TYPE: EvaluationResult(article_type_evaluation.uri)}
    if category_evaluation:
        results[names.CATEGORY] = EvaluationResult(category_evaluation.uri)
    sections = [
        make_section(head, predictions, results[model], Path(run.uri), files, directory)
        for model, run in ((names.ARTICLE_TYPE, article_type_run), (names.CATEGORY, category_run))
        for head in predictions.cards[model].heads
    ]
    figures = {
        section.head: plain_figures({**section.figures, "ece_before": section.ece_before}) for section in sections
    }
    (directory / FIGURES).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    joint = analysis.joint_table(predictions)
    joint.to_csv(directory / JOINT, index=False)
    curve = shutil.copy2(Path(article_type_model.uri) / JOINT_CURVE, directory)
    exponents = predictions.cards[names.ARTICLE_TYPE].joint
    confidence = analysis.joint_confidence(predictions)
    overview = Overview(
        joint,
        plots.plot_joint_exponents(pd.read_csv(curve), exponents, directory),
        plots.plot_reliability(
            {f"{name}, ECE {ece:.3f}": bins for name, (ece, bins) in confidence.items()}, "joint_answer", directory
        ),
        exponents,
        analysis.by_relatives(predictions, texts_of([*trained, *fitted], names.GROUP)),
        analysis.by_year(predictions),
        analysis.contradicting_groups(predictions.rows),
        predictions.cards[names.ARTICLE_TYPE].trial,
        **_familiarity(predictions, directory),
        with_names=_with_names(paths, predictions, [*trained, *fitted], directory),
        similar=_similar(paths[names.ARTICLE_TYPE], predictions, files, [*trained, *fitted]),
    )
    shutil.copytree(catalogue.uri, directory / CATALOGUE, dirs_exist_ok=True)
    summary = summarise(_read(catalogue.uri), predictions, list(results.values()))
    summary.against.to_csv(directory / AGAINST, index=False)
    (directory / "index.html").write_text(render_page(summary, sections, overview), encoding="utf-8")


def _familiarity(predictions: SplitPredictions, directory: Path) -> dict[str, Any]:
    check, card = analysis.familiarity_check(predictions), predictions.cards[names.ARTICLE_TYPE].familiarity
    if check is None or card is None:
        return {}
    rows = pd.DataFrame(check.rows())
    rows.to_csv(directory / "familiarity.csv", index=False)
    curves = {f"{kind}, AUROC {auroc(check.known, values):.3f}": values for kind, values in check.strange.items()}
    return {
        "familiarity": rows,
        "familiarity_curve": plots.plot_roc(check.known, curves, directory) if len(check.known) else None,
        "false_alarms": card.false_alarms,
    }


def _with_names(
    paths: dict[str, Path], predictions: SplitPredictions, known: Sequence[str], directory: Path
) -> pd.DataFrame | None:
    found = judge_names(paths, predictions, texts_of(known, names.GROUP))
    if found is not None:
        found.to_csv(directory / "names.csv", index=False)
    return found


def _similar(
    model: Path, predictions: SplitPredictions, files: Sequence[str], known: Sequence[str]
) -> pd.DataFrame | None:
    if not predictions.cards[names.ARTICLE_TYPE].known_pictures:
        return None
    return judge_neighbours(model, files, texts_of(known, names.PRODUCT_NAME))


def _read(uri: str) -> Report:
    return Report.from_json(json.loads((Path(uri) / REPORT_JSON).read_text(encoding="utf-8")))
