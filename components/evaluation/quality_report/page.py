"""The page itself: one HTML file that needs nothing from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from components.catalogue.report.report import REPORT_PAGE
from components.evaluation.quality_report.summary import Summary
from components.html_page import render_html
from schema.model_card import HeadCard

FIGURES = "figures.json"
"""Beside the page, for machines: head → its figures, with ``ece_before`` calibration."""

CATALOGUE = "catalogue"
"""Folder beside the page, with the report on the data."""

_FIGURES = ("count", "top_1", "top_5", "macro_f1", "ece", "skill")


@dataclass(frozen=True)
class Mistake:
    """A wrong answer, to look at.

    Attributes:
        image: encoded JPEG or PNG.
        caption: what was said, and what is true.
    """

    image: bytes
    caption: str


@dataclass(frozen=True)
class HeadSection:
    """What the page shows of one head.

    Attributes:
        head: its name.
        description: its part of the card.
        figures: over all rows of the test split.
        interval: 95 % confidence interval of top-1.
        ece_before: expected calibration error of the scores as training left them.
        per_class: ``label, count, precision, recall, f1``.
        slices: (slice, figures).
        pictures: PNG files.
        confusion: PNG file of the confusion matrix.
        worst_pairs: (true label, predicted label, rows, examples), most frequent first.
        mistakes: the wrong answers of which the model was surest.
    """

    head: str
    description: HeadCard
    figures: dict[str, float]
    interval: tuple[float, float]
    ece_before: float
    per_class: pd.DataFrame
    slices: Sequence[tuple[str, dict[str, float]]]
    pictures: Sequence[Path]
    confusion: Path
    worst_pairs: Sequence[tuple[Any, Any, int, Sequence[Mistake]]]
    mistakes: Sequence[Mistake]

    def headline(self) -> list[Any]:
        """Its row in the table at the top of the page."""
        low, high = self.interval
        return [self.head, *_cells(self.figures), f"{low:.3f} – {high:.3f}", float(self.ece_before)]

    def slice_rows(self) -> list[list[Any]]:
        """A row a slice."""
        return [[name, *_cells(figures)] for name, figures in self.slices]


@dataclass(frozen=True)
class Overview:
    """What the page shows of all heads together.

    Attributes:
        joint: ways to one answer, side by side.
        joint_exponents: PNG file of what other exponents of the joint answer would have been worth on eval.
        joint_confidence: PNG file of how sure the joint answer is against how often it is right.
        exponents: as released.
        by_relatives: top-1 of pictures with and without a relative in train or eval.
        by_year: top-1 by year of the product.
        contradictions: rows of one group with different labels.
        trial: whether the release is a trial.
        familiarity: ``pictures, count, auroc, flagged``; None where the models do not tell it.
        familiarity_curve: PNG file of the same; None where there is nothing to draw.
        with_names: what products' names are worth, ``by, …, flagged``; None where the models hear none.
        similar: ``measure, value, pictures`` of the index of known products; None where there is none.
        false_alarms: share of eval that was let fall below the threshold.
    """

    joint: pd.DataFrame
    joint_exponents: Path
    joint_confidence: Path
    exponents: Mapping[str, float]
    by_relatives: pd.DataFrame
    by_year: pd.DataFrame
    contradictions: pd.DataFrame
    trial: bool
    familiarity: pd.DataFrame | None = None
    familiarity_curve: Path | None = None
    with_names: pd.DataFrame | None = None
    similar: pd.DataFrame | None = None
    false_alarms: float = 0.0


def render_page(summary: Summary, sections: Sequence[HeadSection], overview: Overview) -> str:
    """The page as HTML, pictures inside; the report on the catalogue is expected in the folder :data:`CATALOGUE`."""
    return render_html(
        __package__,
        "page.html",
        figure_names=list(_FIGURES),
        headline=[section.headline() for section in sections],
        summary=summary,
        overview=overview,
        sections=sections,
        catalogue_page=f"{CATALOGUE}/{REPORT_PAGE}",
    )


def _cells(figures: dict[str, float]) -> list[float]:
    return [figures[name] for name in _FIGURES]
