"""The page itself: one HTML file that needs nothing from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from components.evaluation.quality_report.markup import SORTING, STYLE, escape, photo, plot, table

FIGURES = "figures.json"
"""Beside the page, for machines: head → its figures, with ``ece_before`` calibration."""

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
    description: dict[str, Any]
    figures: dict[str, float]
    interval: tuple[float, float]
    ece_before: float
    per_class: pd.DataFrame
    slices: Sequence[tuple[str, dict[str, float]]]
    pictures: Sequence[Path]
    confusion: Path
    worst_pairs: Sequence[tuple[Any, Any, int, Sequence[Mistake]]]
    mistakes: Sequence[Mistake]


@dataclass(frozen=True)
class Overview:
    """What the page shows of all heads together.

    Attributes:
      joint: ways to one answer, side by side.
      by_relatives: top-1 of pictures with and without a relative in train or eval.
      by_year: top-1 by year of the product.
      contradictions: rows of one group with different labels.
    """

    joint: pd.DataFrame
    by_relatives: pd.DataFrame
    by_year: pd.DataFrame
    contradictions: pd.DataFrame


def render_page(sections: Sequence[HeadSection], overview: Overview) -> str:
    """The page as HTML, pictures inside."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Lookbook: model quality</title>"
        '<meta name=viewport content="width=device-width">'
        f"<style>{STYLE}</style><body><h1>How good the models are</h1>"
        "<p>Measured on the test split, which training never saw.</p>"
        f"{_headline(sections)}{_overview(overview)}{''.join(map(_section, sections))}<script>{SORTING}</script>"
    )


def _headline(sections: Sequence[HeadSection]) -> str:
    header = ["head", *_FIGURES, "top_1, 95 % interval", "ece before calibration"]
    rows = [
        [s.head, *_cells(s.figures), f"{s.interval[0]:.3f} – {s.interval[1]:.3f}", float(s.ece_before)]
        for s in sections
    ]
    return table(header, rows)


def _overview(overview: Overview) -> str:
    return (
        "<h2>One answer from both models</h2>"
        f"{_frame(overview.joint)}"
        "<h2>New products and more of the same</h2><p>Top-1 on all test pictures, which is what a random split tells, "
        "and on those that share neither a product name nor nearly the same pixels with any of train and eval, which "
        "is what new products may expect. Split by group, there are no others.</p>"
        f"{_frame(overview.by_relatives)}"
        "<h2>By year</h2><p>Top-1 on the test split's products of each year.</p>"
        f"{_frame(overview.by_year)}"
        "<h2>Suspected label errors</h2><p>Products of one name, or with nearly the same pixels, that the catalogue "
        f"gives different article types: {len(overview.contradictions)} groups in the test split.</p>"
        f"<div class=scroll>{_frame(overview.contradictions)}</div>"
    )


def _section(section: HeadSection) -> str:
    description = section.description
    return (
        f"<h2>{escape(section.head)}</h2>"
        f"<p>{len(description['labels'])} classes; temperature {description['temperature']:.2f}, curvature "
        f"{description['curvature']:.2f}; a person should look "
        f"below a confidence of {description['review_threshold']:.2f} (at and above it "
        f"{description['review_precision']:.1%} were right on the eval split).</p>"
        f"<div class=row>{''.join(map(plot, section.pictures))}</div><p>{plot(section.confusion)}</p>"
        f"<h3>Most frequent confusions</h3>{''.join(map(_pair, section.worst_pairs))}"
        f"<h3>Surest mistakes</h3><p>Some are the model's, some the catalogue's.</p>{_photos(section.mistakes)}"
        f"<h3>Slices</h3><div class=scroll>{_slices(section)}</div>"
        f"<h3>Classes</h3><div class=scroll>{_frame(section.per_class)}</div>"
    )


def _slices(section: HeadSection) -> str:
    return table(["slice", *_FIGURES], ([name, *_cells(figures)] for name, figures in section.slices))


def _pair(pair: tuple[Any, Any, int, Sequence[Mistake]]) -> str:
    truth, answer, count, examples = pair
    summary = f"{escape(truth)} taken for {escape(answer)}: {count}"
    return f"<details><summary>{summary}</summary>{_photos(examples)}</details>"


def _photos(mistakes: Sequence[Mistake]) -> str:
    return f"<div class=row>{''.join(photo(one.image, one.caption) for one in mistakes)}</div>"


def _frame(frame: pd.DataFrame) -> str:
    return table(list(frame), frame.itertuples(index=False))


def _cells(figures: dict[str, float]) -> list[float]:
    return [figures[name] for name in _FIGURES]
