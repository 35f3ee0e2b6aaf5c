"""The page of ``lookbook drift``: a picture a measure, those that drifted first."""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from components.html_page import render_html, write_html
from pipeline.drifting.comparing import Finding
from pipeline.drifting.seen import Seen

matplotlib.rcParams["text.parse_math"] = False  # labels are no formulas: a $ in them is money

_MOST_BARS = 20
_WORDS = (
    ("familiarity", "how much a picture is like those that the models learnt from"),
    ("nearest_similarity", "how similar the five nearest known pictures are"),
    ("centrality", "how near a picture lies to the middle of the known ones"),
    ("brightness", "mean of a picture's values, 0 for black, 1 for white"),
    ("component_", "where a picture lies along one of the directions in which the known ones differ most"),
    ("_confidence", "how sure the model is of its best label"),
)
"""Part of a measure's name → what it is; the others are heads, counted by their best label."""


def write_page(seen: Seen, findings: Sequence[Finding], file: Path) -> None:
    """Writes the page, which needs nothing beside it.

    Args:
        seen: what was compared.
        findings: of :func:`pipeline.drifting.comparing.compare`.
        file: HTML to write.

    Raises:
        OSError: it cannot be written, or is there and no page.
    """
    rows = [(one, _words(one.measure.name), _picture(one)) for one in findings]
    write_html(file, render_html("pipeline.drifting", "page.html", seen=seen, rows=rows))


def _words(measure: str) -> str:
    return next((words for part, words in _WORDS if part in measure), "the best label")


def _picture(one: Finding) -> bytes:
    measure = one.measure
    of_eval, of_seen = sum(measure.expected), sum(measure.seen)
    bars = [
        (name, expected / of_eval, count / of_seen)
        for name, expected, count in zip(measure.bins, measure.expected, measure.seen, strict=True)
    ]
    if measure.is_label:
        bars = sorted(bars, key=lambda bar: -max(bar[1:]))[:_MOST_BARS]
    figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
    places = range(len(bars))
    axis.bar([i - 0.2 for i in places], [bar[1] for bar in bars], 0.4, label=f"eval ({of_eval:,})", color="#9aa5b1")
    axis.bar([i + 0.2 for i in places], [bar[2] for bar in bars], 0.4, label=f"seen ({of_seen:,})", color="#2f6fde")
    axis.set_xticks(places, [bar[0] for bar in bars], rotation=60, ha="right", fontsize=7)
    axis.set_ylabel("share")
    axis.legend()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    plt.close(figure)
    return stream.getvalue()
