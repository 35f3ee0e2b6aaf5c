"""The page itself: one HTML file that needs nothing from outside."""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

_FIGURES = ("count", "top_1", "top_5", "macro_f1", "ece", "skill")
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #8884; text-align: right; }
th:first-child, td:first-child { text-align: left; }
thead th { position: sticky; top: 0; background: Canvas; }
img { max-width: 100%; background: white; }
.scroll { max-height: 28rem; overflow: auto; }
"""


@dataclass(frozen=True)
class HeadSection:
    """What the page shows of one head.

    Attributes:
      head: its name.
      description: its part of the card.
      figures: over all rows of the test split.
      per_class: ``label, count, precision, recall, f1``.
      slices: (slice, figures).
      pictures: PNG files.
      worst_pairs: (true label, predicted label, rows), most frequent first.
    """

    head: str
    description: dict[str, Any]
    figures: dict[str, float]
    per_class: pd.DataFrame
    slices: Sequence[tuple[str, dict[str, float]]]
    pictures: Sequence[Path]
    worst_pairs: Sequence[tuple[Any, Any, int]]


def render_page(sections: Sequence[HeadSection]) -> str:
    """The page as HTML, pictures inside."""
    headline = _table(["head", *_FIGURES], ([s.head, *_cells(s.figures)] for s in sections))
    body = "".join(_section(section) for section in sections)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Lookbook: model quality</title>"
        f"<style>{_STYLE}</style><body><h1>How good the models are</h1>"
        "<p>Measured on the test split, which training never saw.</p>"
        f"{headline}{body}"
    )


def _section(section: HeadSection) -> str:
    pairs = _table(["true", "taken for", "rows"], section.worst_pairs)
    classes = _table(list(section.per_class), (_format_row(row) for row in section.per_class.itertuples(index=False)))
    slices = _table(["slice", *_FIGURES], ([name, *_cells(figures)] for name, figures in section.slices))
    pictures = "".join(_picture(path) for path in section.pictures)
    description = section.description
    return (
        f"<h2>{html.escape(section.head)}</h2>"
        f"<p>{len(description['labels'])} classes; temperature {description['temperature']:.2f}; a person should look "
        f"below a confidence of {description['review_threshold']:.2f} (at and above it "
        f"{description['review_precision']:.1%} were right on the eval split).</p>"
        f"<h3>Most frequent confusions</h3>{pairs}{pictures}"
        f"<h3>Slices</h3><div class=scroll>{slices}</div><h3>Classes</h3><div class=scroll>{classes}</div>"
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{html.escape(str(cell))}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(figures: dict[str, float]) -> list[str]:
    return _format_row(figures[name] for name in _FIGURES)


def _format_row(values: Iterable[Any]) -> list[str]:
    return [f"{value:.3f}" if isinstance(value, float) else str(value) for value in values]


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<p><img alt="{html.escape(path.stem)}" src="data:image/png;base64,{data}">'
