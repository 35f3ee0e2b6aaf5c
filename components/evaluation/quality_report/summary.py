"""What the page says first, for a reader of one paragraph: what was learned, from what, and how good it is."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from components.calibration.joint_answer import JointAnswer
from components.catalogue.report.report import Report
from components.evaluation.classification_metrics import wilson_interval
from components.evaluation.quality_report.analysis import all_right
from components.evaluation.quality_report.predictions import SplitPredictions
from components.evaluation.results import EvaluationResult
from schema import heads as table
from schema import names


@dataclass(frozen=True)
class Summary:
    """One paragraph, and the comparison with the release before.

    Attributes:
        made: day of the report, UTC.
        catalogue: the report on the data.
        profile: of the training.
        right: test pictures whose joint answer is right on every level.
        count: test pictures.
        levels: of the taxonomy that the release tells, from the finest up, in words.
        untold: those that it does not, for its catalogue lacks them.
        against: ``head, latest release, this one, difference``: top-1 on the same pictures. Without rows where there
            was no release.
    """

    made: datetime.date
    catalogue: Report
    profile: str
    right: int
    count: int
    levels: tuple[str, ...]
    untold: tuple[str, ...]
    against: pd.DataFrame

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the share that is right on every level."""
        return wilson_interval(self.right, self.count)


def summarise(catalogue: Report, predictions: SplitPredictions, results: Sequence[EvaluationResult]) -> Summary:
    """Sums up a report.

    Args:
        catalogue: the report on the data.
        predictions: on the test split.
        results: of the Evaluators, on the same rows.
    """
    card = predictions.cards[names.ARTICLE_TYPE]
    answers = JointAnswer(card.taxonomy, predictions.labels).best(predictions.scores, card.joint)
    truths = {level: predictions.truths[level] for level in card.levels}
    words = {head.name: head.name.replace("_", " ") for head in reversed(table.taxonomy())}
    is_right = all_right(truths, answers)
    return Summary(
        made=datetime.datetime.now(datetime.timezone.utc).date(),
        catalogue=catalogue,
        profile=card.training.get("profile", "unnamed"),
        right=int(is_right.sum()),
        count=len(is_right),
        levels=tuple(word for level, word in words.items() if level in card.levels),
        untold=tuple(word for level, word in words.items() if level not in card.levels),
        against=_against(results),
    )


def _against(results: Sequence[EvaluationResult]) -> pd.DataFrame:
    rows = [
        (head, before[head]["top_1"], now["top_1"], now["top_1"] - before[head]["top_1"])
        for result in results
        for before in [result.baseline_figures()]
        for head, now in result.figures().items()
        # The release before may lack an attribute that this one has.
        if head in before and before[head]["count"]
    ]
    return pd.DataFrame(rows, columns=["head", "latest release", "this one", "difference"])
