"""Gathers what the page shows of one head: figures of the evaluation, curves, and pictures of what went wrong."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from components import plots
from components.evaluation.quality_report import analysis
from components.evaluation.quality_report.page import HeadSection, Mistake
from components.evaluation.quality_report.predictions import SplitPredictions, pictures_at
from components.evaluation.results import EvaluationResult
from components.model.calibration import Calibration
from schema import names
from schema.model_card import HeadCard
from schema.spreadsheets import inert

_PAIRS, _EXAMPLES, _MISTAKES = 10, 6, 24


def make_section(
    head: str,
    predictions: SplitPredictions,
    result: EvaluationResult,
    run: Path,
    files: Sequence[str],
    directory: Path,
) -> HeadSection:
    """The section of one head; its plots and the CSV of its classes are written to ``directory``.

    Args:
      head: its name.
      predictions: on the test split.
      result: of the Evaluator, on the same rows.
      run: folder that training wrote its plots to.
      files: of the test split, for its pictures.
      directory: of the report.
    """
    labels, figures = predictions.labels[head], result.figures()[head]
    tally = result.tally(head, labels)
    per_class = tally.per_class()
    write_classes(per_class, directory / f"{head}_per_class.csv")
    description = next(card.heads[head] for card in predictions.cards.values() if head in card.heads)
    ece_before, curves = _draw_confidence(head, predictions, description, directory)
    training = Path(shutil.copy2(run / f"{head}_training.png", directory))
    confusion = plots.plot_confusion(tally.confusion_matrix(labels), labels, head, directory)
    return HeadSection(
        head=head,
        description=description,
        figures=figures,
        interval=tally.interval(),
        ece_before=ece_before,
        per_class=per_class,
        slices=[(name, values) for slice_head, name, values in result.slice_figures() if slice_head == head],
        pictures=[*curves, training],
        confusion=confusion,
        **_mistakes(head, predictions, tally.worst_pairs(_PAIRS), files),
    )


def write_classes(per_class: pd.DataFrame, file: Path) -> None:
    """Writes the table of classes; their names come from whoever supplied the catalogue, and must not run."""
    per_class.assign(label=per_class["label"].map(inert)).to_csv(file, index=False)


def _draw_confidence(
    head: str, predictions: SplitPredictions, description: HeadCard, directory: Path
) -> tuple[float, list[Path]]:
    has_label = predictions.labelled(head)
    scores, truths = predictions.scores[head][has_label], predictions.truths[head][has_label]
    calibration = Calibration(description.temperature, description.curvature)
    before, bins_before = analysis.expected_calibration_error(analysis.uncalibrated(scores, calibration), truths)
    after, bins_after = analysis.expected_calibration_error(scores, truths)
    bins = {f"before, ECE {before:.3f}": bins_before, f"calibrated, ECE {after:.3f}": bins_after}
    curve = analysis.risk_coverage(scores, truths)
    return before, [
        plots.plot_reliability(bins, head, directory),
        plots.plot_risk_coverage(curve, head, description.review_threshold, directory),
    ]


def _mistakes(head: str, predictions: SplitPredictions, pairs: Sequence[tuple], files: Sequence[str]) -> dict:
    surest = analysis.confident_mistakes(predictions, head, _MISTAKES)
    examples = {
        (truth, answer): analysis.examples_of_pair(predictions, head, truth, answer, _EXAMPLES)
        for truth, answer, _ in pairs
    }
    wanted = [*surest["position"], *(position for positions in examples.values() for position in positions)]
    pictures = pictures_at(files, wanted)
    rows = predictions.rows
    return {
        "worst_pairs": [
            (truth, answer, count, [_example(rows, i, pictures[i]) for i in examples[truth, answer]])
            for truth, answer, count in pairs
        ],
        "mistakes": [_surest(row, pictures[row.position]) for row in surest.itertuples()],
    }


def _example(rows: pd.DataFrame, position: int, picture: bytes) -> Mistake:
    return Mistake(picture, f"{rows[names.ID].iloc[position]}: {rows[names.PRODUCT_NAME].iloc[position]}")


def _surest(row: Any, picture: bytes) -> Mistake:
    return Mistake(
        picture, f"{row.id}: {row.answer} ({row.confidence:.2f}), catalogue says {row.truth} ({row.of_truth:.2f})"
    )
