"""What a card tells of a release, gathered from its manifest and from the files of its report."""

import csv
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from components.evaluation.quality_report.files import AGAINST, AS_RELEASED, JOINT
from components.evidence import wilson_interval
from schema import names
from schema.release_folder import CORRECTIONS_CHECK, LABEL_AUDIT, ReleaseError

_WORST: Final = 8
_FEWEST_OF_A_CLASS: Final = 5
"""Test rows below which a class's figures tell next to nothing."""


@dataclass(frozen=True)
class HeadFigures:
    """How right one head is on the test split; ``before`` is the last release's top-1 on the same pictures."""

    head: str
    labels: int | None
    count: int
    top_1: float | None
    interval: tuple[float, float]
    top_5: float | None
    macro_f1: float | None
    ece: float | None
    before: float | None


@dataclass(frozen=True)
class WeakClass:
    """An article type that is often not found: ``recall`` of its ``count`` test rows, with its 95 % interval."""

    label: str
    count: int
    recall: float
    interval: tuple[float, float]
    precision: float


@dataclass(frozen=True)
class CardFacts:
    """All that a card tells.

    Attributes:
        manifest: of the release.
        catalogue: its report on the data; empty where it is not here, as beside a release that was pulled.
        heads: how right each is.
        all_right: share of the test pictures whose joint answer is right on every level.
        all_right_interval: 95 % confidence interval of that.
        weakest: article types with five test rows or more, the least recall first.
        limits: sentences about this release's data.
        audit: what ``lookbook audit --release`` left (:class:`components.evaluation.label_audit.summary.Summary`); None
            where nobody audited.
        corrections: verdict → how many of the decisions that the catalogue keeps; None where it keeps none.
    """

    manifest: dict[str, Any]
    catalogue: dict[str, Any]
    heads: tuple[HeadFigures, ...]
    all_right: float | None
    all_right_interval: tuple[float, float]
    weakest: tuple[WeakClass, ...]
    limits: tuple[str, ...]
    audit: dict[str, Any] | None = None
    corrections: dict[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """For machines, without the hashes of the files."""
        facts = asdict(self)
        facts["manifest"] = {key: value for key, value in self.manifest.items() if key != "models"}
        facts["catalogue"] = {key: self.catalogue[key] for key in ("rows", "taken", "splits") if key in self.catalogue}
        return facts


def facts_of(manifest: dict[str, Any], report: Path) -> CardFacts:
    """Gathers what a release recorded; what it did not is left out.

    Args:
        manifest: of the release.
        report: folder of its report, which need not be there.

    Raises:
        ReleaseError: a file of the report was damaged.
    """
    before = {row["head"]: _number(row["latest release"]) for row in _rows(report / AGAINST)}
    catalogue = _json(report / "catalogue" / "report.json") or {}
    all_right = next((_number(row["all right"]) for row in _rows(report / JOINT) if row["answer"] == AS_RELEASED), None)
    count = catalogue.get("splits", {}).get(names.TEST, 0)
    return CardFacts(
        manifest=manifest,
        catalogue=catalogue,
        heads=tuple(
            _figures(head, figures, manifest.get("classes", {}), before.get(head))
            for head, figures in manifest.get("metrics", {}).items()
        ),
        all_right=all_right,
        all_right_interval=_interval(all_right, count),
        weakest=_weakest(_rows(report / f"{names.ARTICLE_TYPE}_per_class.csv")),
        limits=tuple(_limits(manifest, catalogue)),
        audit=_json(report / LABEL_AUDIT),
        corrections=(_json(report / CORRECTIONS_CHECK) or {}).get("counts"),
    )


def _figures(head: str, figures: dict[str, Any], labels: dict[str, int], before: float | None) -> HeadFigures:
    count, top_1 = int(figures.get("count", 0)), _number(figures.get("top_1"))
    others = {name: _number(figures.get(name)) for name in ("top_5", "macro_f1", "ece")}
    return HeadFigures(head, labels.get(head), count, top_1, _interval(top_1, count), before=before, **others)


def _weakest(rows: list[dict[str, str]]) -> tuple[WeakClass, ...]:
    classes = []
    for row in rows:
        count, recall, precision = int(row["count"]), _number(row["recall"]), _number(row["precision"])
        if count >= _FEWEST_OF_A_CLASS and recall is not None:
            classes.append(WeakClass(row["label"], count, recall, _interval(recall, count), precision or 0.0))
    return tuple(sorted(classes, key=lambda one: (one.recall, -one.count, one.label))[:_WORST])


def _limits(manifest: dict[str, Any], catalogue: dict[str, Any]) -> list[str]:
    said = []
    if manifest.get("trial"):
        said.append("This release is a TRIAL: its splits may be too small for any figure here to mean something.")
    untaught = catalogue.get("not_in_training", {}).get(names.ARTICLE_TYPE_LABEL, [])
    if untaught:
        said.append(f"{len(untaught)} article types of the catalogue are in no training row, and never answered.")
    tiny = catalogue.get("tiny_classes", {}).get(names.ARTICLE_TYPE_LABEL, {})
    if tiny:
        said.append(f"{len(tiny)} article types have so few rows that they are hardly learnt.")
    listed = len(catalogue.get("disagreeing_duplicates", []))  # the first of them; reports of before have no counts
    twins = catalogue.get("counts", {}).get("disagreeing_duplicates", listed)
    if twins:
        said.append(f"{twins} sets of (nearly) equal pictures carry different article types.")
    return said


def _json(file: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None
    except (ValueError, TypeError, RecursionError) as error:
        raise ReleaseError(f"{file} is no report that a run wrote: {error}; bring it back, or remove it") from error


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        return []
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReleaseError(f"{file} is no report that a run wrote: {error}; bring it back, or remove it") from error


def _number(value: Any) -> float | None:
    """None for what is not there, or could not be measured."""
    if value in (None, ""):
        return None
    number = float(value)
    return None if math.isnan(number) else number


def _interval(share: float | None, count: int) -> tuple[float, float]:
    return wilson_interval(round((share or 0.0) * count), count if share is not None else 0)
