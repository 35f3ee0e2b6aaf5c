"""Pictures of a training and of its quality, as PNG files."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.metrics import roc_curve

matplotlib.rcParams["text.parse_math"] = False  # labels are no formulas: a $ in them is money

_MOST_CLASSES = 60
"""Beyond this many classes a confusion matrix shows the most frequent ones only."""


def plot_training(metrics_csv: Path, heads: list[str], directory: Path) -> list[Path]:
    """Draws loss and accuracy per epoch, one picture a head, from the metrics that training wrote."""
    metrics = pd.read_csv(metrics_csv)
    return [_plot_head(metrics, head, directory) for head in heads]


def _plot_head(metrics: pd.DataFrame, head: str, directory: Path) -> Path:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, title in zip(axes, ("loss", "accuracy"), strict=True):
        # Keras does not name the head where there is only one.
        column = f"{head}_{title}" if f"{head}_{title}" in metrics else title
        for prefix, name in (("", "train"), ("val_", "eval")):
            if prefix + column in metrics:
                axis.plot(metrics["epoch"] + 1, metrics[prefix + column], marker=".", label=name)
        axis.set(title=f"{head}: {title}", xlabel="epoch")
        axis.grid(alpha=0.3)
        axis.legend()
    return _save(figure, directory / f"{head}_training.png")


def plot_confusion(counts: np.ndarray, labels: list[str], head: str, directory: Path) -> Path:
    """Draws which label was taken for which.

    Args:
        counts: int[C, C], truth by prediction.
        labels: of the classes, in the order of ``counts``.
        head: whose labels they are.
        directory: for ``<head>_confusion.png``.
    """
    chosen = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[:_MOST_CLASSES])
    shown = counts[np.ix_(chosen, chosen)]
    shares = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    size = max(4.0, 0.22 * len(chosen) + 2)
    figure, axis = plt.subplots(figsize=(size + 1, size), layout="constrained")
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(chosen))
    axis.set_xticks(ticks, [labels[i] for i in chosen], rotation=90, fontsize=7)
    axis.set_yticks(ticks, [labels[i] for i in chosen], fontsize=7)
    left_out = len(labels) - len(chosen)
    suffix = f" ({left_out} rarer classes not shown)" if left_out else ""
    axis.set(title=f"{head}: share of each true label{suffix}", xlabel="predicted", ylabel="true")
    figure.colorbar(image, shrink=0.6)
    return _save(figure, directory / f"{head}_confusion.png")


def plot_reliability(bins: dict[str, pd.DataFrame], head: str, directory: Path) -> Path:
    """Draws confidence against accuracy.

    Args:
        bins: a name for the legend → columns ``confidence``, ``accuracy`` and ``count``, a row a bin with answers.
        head: whose answers they are.
        directory: for ``<head>_reliability.png``.
    """
    figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
    axis.plot([0, 1], [0, 1], color="grey", linestyle="--", label="perfect")
    for name, table in bins.items():
        (line,) = axis.plot(table["confidence"], table["accuracy"], label=name)
        sizes = 10 + 200 * table["count"] / max(table["count"].sum(), 1)
        axis.scatter(table["confidence"], table["accuracy"], s=sizes, color=line.get_color())
    axis.set(title=f"{head}: calibration", xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    axis.grid(alpha=0.3)
    axis.legend()
    return _save(figure, directory / f"{head}_reliability.png")


def plot_risk_coverage(curve: pd.DataFrame, head: str, threshold: float, directory: Path) -> Path:
    """Draws how right the most confident answers are, as more and more of them are taken.

    Args:
        curve: ``coverage``, ``accuracy`` and ``threshold``, a row an answer from the most confident on.
        head: whose answers they are.
        threshold: the released review threshold, marked.
        directory: for ``<head>_risk_coverage.png``.
    """
    figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
    axis.plot(curve["coverage"], curve["accuracy"])
    unreviewed = curve[curve["threshold"] >= threshold]
    if len(unreviewed):
        share = unreviewed["coverage"].iloc[-1]
        axis.axvline(share, color="grey", linestyle="--", label=f"needs no look: {share:.0%}")
        axis.legend()
    axis.set(
        title=f"{head}: risk and coverage", xlabel="share answered, surest first", ylabel="share right", xlim=(0, 1)
    )
    axis.grid(alpha=0.3)
    return _save(figure, directory / f"{head}_risk_coverage.png")


def plot_joint_exponents(curve: pd.DataFrame, exponents: Mapping[str, float], directory: Path) -> Path:
    """Draws what the joint answer would be worth with other exponents, one varied at a time.

    Args:
        curve: ``exponent``, ``value``, ``log_loss`` and ``all_right``, a row a point.
        exponents: as fitted, marked.
        directory: for ``joint_exponents.png``.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, column, title in zip(axes, ("log_loss", "all_right"), ("log loss", "share all right"), strict=True):
        for name, line in curve.groupby("exponent", sort=False):
            (drawn,) = axis.plot(line["value"], line[column], label=name)
            axis.axvline(exponents[name], color=drawn.get_color(), linestyle=":")
        axis.set(title=f"joint answer on eval: {title}", xlabel="exponent (dotted: as fitted)")
        axis.grid(alpha=0.3)
        axis.legend()
    return _save(figure, directory / "joint_exponents.png")


def plot_roc(known: np.ndarray, strange: Mapping[str, np.ndarray], directory: Path) -> Path:
    """Draws the share of strange pictures that are found against the share of known ones that are taken for strange.

    Args:
        known: float[N], familiarity of known pictures, at least one.
        strange: a name for the legend → float[M], the same of strange ones; kinds without a picture are left out.
        directory: for ``familiarity.png``.
    """
    figure, axis = plt.subplots(figsize=(6, 6), layout="constrained")
    axis.plot([0, 1], [0, 1], color="grey", linestyle="--", label="chance")
    for name, values in strange.items():
        if len(values):
            is_strange = np.repeat([0, 1], [len(known), len(values)])
            false_alarms, found, _ = roc_curve(is_strange, -np.concatenate([known, values]))
            axis.plot(false_alarms, found, label=name)
    axis.set(title="familiarity: what is found", xlabel="share of known pictures taken for strange", ylabel="found")
    axis.grid(alpha=0.3)
    axis.legend()
    return _save(figure, directory / "familiarity.png")


def _save(figure: plt.Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path
