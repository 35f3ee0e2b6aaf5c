"""Two models' scores → one answer. Pure: no transport, no clock, no state.

The joint answer is the known path with the highest

    P(type)^a · P(sub)^b · P(master)^c · P(path | type)^d

with the exponents of the card and P(path | type) from the counts in training, normalised over the known paths. Without
the article type model the pairs of sub and master category take the place of the paths, without the last factor.

Its confidence is lower where heads contradict it: times ``e^(-κ c)``, κ of the card, c what they give up for it (as
:data:`schema.model_card.CONTRADICTION` says). So the confidences of all paths add up to 1 or less.

A release tells the levels of the taxonomy that its catalogue had: what is said here of three levels holds for the
one or two that there are, and ``absent_levels`` stands for the rest.

An attribute, a head outside the taxonomy, stands beside all that: it changes neither the joint answer nor its review.
A picture unlike those that were learnt from asks for a look, whatever is answered. So does a name that contradicts the
picture, which lowers the joint confidence too.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from schema import heads as table
from schema import names
from schema.model_card import CONTRADICTION, PATH
from serving.merger.core.hearing import contradiction, trust
from serving.merger.core.release import Release
from serving.proto.lookbook.v1 import classifier_pb2 as pb

LEVELS: Final = tuple(head.name for head in table.taxonomy())
"""The levels of a path, from the top; the contract's fields bear their names. A release may lack all but the last."""

DEEPEST: Final = LEVELS[-1]

DEFAULT_TOP_K: Final = names.TOP_K
DIGITS: Final = 6
_STRONG: Final = 0.5
"""Models that contradict each other so much that this share of the confidence is left, or less, say so."""
FLOOR: Final = 1e-12
"""Added to every probability: a label that one model rules out wholly may still be saved by the other."""

Fields = dict[str, Any]
"""A message of the contract by its fields."""

Scores = Mapping[str, Sequence[float]]
"""Head → its calibrated probabilities in the label order of the card; heads of a missing model are missing."""


class Merger:
    """Merges answers of one release."""

    def __init__(self, release: Release) -> None:
        self._release, self._levels = release, release.levels
        self._absent = [_absent(level, release) for level in LEVELS if level not in release.levels]
        self._known = {path.labels for path in release.taxonomy}

    def merge(
        self,
        scores: Scores,
        top_k: int = DEFAULT_TOP_K,
        familiarity: float | None = None,
        name: pb.NameUse | None = None,
    ) -> pb.ClassifyResponse:
        """The answer for one picture, without request id, versions, timings and picture.

        Args:
            scores: of the heads of at least one model.
            top_k: labels and paths to list.
            familiarity: of the picture; None where no model tells it.
            name: what became of the product's name; None where none was given.
        """
        joint = self._joint(scores, top_k, trust(name))
        best = {head: _best(row, top_k) for head, row in scores.items()}
        agreement = self._agreement({head: positions[0] for head, positions in best.items()})
        reasons = [*self._reasons(scores, joint, agreement), *self._unfamiliar(familiarity), *contradiction(name)]
        level = self._level(joint, reasons)
        heads: Fields = {head: self._head(head, row, best[head]) for head, row in scores.items()}
        # Nested dictionaries are turned into messages in C; nested messages would be copied one by one.
        return pb.ClassifyResponse(
            **{name: heads.get(name) for name in LEVELS},
            joint=joint,
            path=[joint[name] for name in self._levels[: self._levels.index(level) + 1]],
            level=level,
            agreement=agreement,
            review={"needed": bool(reasons), "reasons": reasons},
            partial=any(name not in scores for name in self._levels),
            release=str(self._release.version),
            trial=self._release.trial,
            attributes=[
                self._attribute(heads[name], scores[name]) for name in self._release.attributes if name in heads
            ],
            absent_levels=self._absent,
            familiarity=None if familiarity is None else round(familiarity, DIGITS),
            name=name,
        )

    def _head(self, head: str, row: Sequence[float], best: Sequence[int]) -> Fields:
        card = self._release.heads[head]
        listed = [{"label": card.labels[i], "confidence": round(row[i], DIGITS)} for i in best]
        return {**listed[0], "top_k": listed, "head": head, "column": card.column}

    def _attribute(self, prediction: Fields, row: Sequence[float]) -> Fields:
        return prediction | {"review": self._unsure(prediction["head"], row, prediction["label"])}

    def _joint(self, scores: Scores, top_k: int, of_name: float) -> Fields:
        candidates = self._candidates[max(depth for depth, name in enumerate(self._levels, start=1) if name in scores)]
        weights = candidates.weights(scores, self._release.joint)
        best = _best(weights, top_k)
        share = of_name * self._trust(scores, candidates.paths[best[0]]) / sum(weights)
        listed = [{"confidence": round(weights[i] * share, DIGITS), **candidates.paths[i]} for i in best]
        return {**listed[0], "top_k": listed}

    def _trust(self, scores: Scores, path: Mapping[str, str]) -> float:
        """What is left of the confidence in a path: 1 where each head says the same by itself."""
        exponent = self._release.joint.get(CONTRADICTION, 0.0)
        given_up = sum(
            math.log(max(scores[head]) + FLOOR) - math.log(scores[head][self._index[head][label]] + FLOOR)
            for head, label in path.items()
            if head in scores
        )
        return math.exp(-exponent * given_up)

    @cached_property
    def _candidates(self) -> dict[int, "_Candidates"]:
        """Depth of the deepest level that has scores → the paths down to there."""
        return {depth: self._paths_to(depth) for depth in range(1, len(self._levels) + 1)}

    def _paths_to(self, depth: int) -> "_Candidates":
        known = dict.fromkeys(path.labels[:depth] for path in self._release.taxonomy)
        paths = [dict(zip(self._levels, labels, strict=False)) for labels in known]
        log_priors = _log_priors(self._release) if depth == len(self._levels) else [0.0] * len(paths)
        return _Candidates(paths, self._index, log_priors)

    @cached_property
    def _index(self) -> dict[str, dict[str, int]]:
        heads = self._release.heads.items()
        return {name: {label: i for i, label in enumerate(head.labels)} for name, head in heads}

    def _agreement(self, best: Mapping[str, int]) -> Fields:
        """Whether the labels at the heads' best positions form a known path."""
        if len(self._levels) == 1:
            return {"code": "one_level", "message": "This release tells one level alone, so nothing can be compared."}
        if any(name not in best for name in self._levels):
            return {"code": "incomplete", "message": "One model did not answer, so nothing can be compared."}
        labels = tuple(self._release.heads[head].labels[best[head]] for head in self._levels)
        if labels in self._known:
            return {"agree": True}
        return {"agree": False, "code": "unknown_path", "message": f"No product is known as {' › '.join(labels)}."}

    def _reasons(self, scores: Scores, joint: Fields, agreement: Fields) -> list[Fields]:
        answered = [head for head in self._levels if head in scores]
        reasons = [reason for head in answered if (reason := self._unsure(head, scores[head], joint[head]))]
        if agreement.get("code") == "unknown_path":
            trust = self._trust(scores, {head: joint[head] for head in self._levels})
            message = f"The two models contradict each other. {agreement['message']}{_cost(trust)}"
            reasons.append({"code": "models_disagree", "message": message})
        elif agreement.get("code") == "incomplete":
            reasons.append({"code": "incomplete", "message": "One model did not answer."})
        return reasons

    def _level(self, joint: Fields, reasons: Sequence[Fields]) -> str:
        *upper, deepest = self._levels
        unsure = [reason["head"] for reason in reasons if reason["code"] == "low_confidence"]
        # Where the unsure type is all that there is, it stays, as a suggestion.
        return deepest if deepest in joint and not (upper and unsure == [deepest]) else upper[-1]

    def _unfamiliar(self, familiarity: float | None) -> list[Fields]:
        card = self._release.familiarity
        if familiarity is None or card is None or familiarity >= card.review_threshold:
            return []
        message = (
            f"The picture is unlike those that the models learnt from: its familiarity is {familiarity:.2f}; "
            f"{card.review_threshold:.2f} would have been enough."
        )
        return [{"code": "unfamiliar", "threshold": card.review_threshold, "message": message}]

    def _unsure(self, head: str, row: Sequence[float], label: str) -> Fields | None:
        threshold = self._release.heads[head].review_threshold
        confidence = row[self._index[head][label]]
        if confidence >= threshold:
            return None
        needed = f"{threshold:.2f} would have been enough" if threshold <= 1 else "the model is never sure enough of it"
        message = f"{head.replace('_', ' ').capitalize()} “{label}” has confidence {confidence:.2f}; {needed}."
        rounded = round(confidence, DIGITS)
        return {
            "code": "low_confidence", "head": head, "confidence": rounded, "threshold": threshold, "message": message,
        }  # fmt: skip


class _Candidates:
    """The paths that a joint answer may name, each a mapping of level → label."""

    def __init__(
        self, paths: list[dict[str, str]], index: Mapping[str, Mapping[str, int]], log_priors: list[float]
    ) -> None:
        self.paths = paths
        self._log_priors = log_priors
        self._columns = {
            head: [positions[path[head]] for path in paths] for head, positions in index.items() if head in paths[0]
        }

    def weights(self, scores: Scores, exponents: Mapping[str, float]) -> list[float]:
        """P of each path, up to a common factor; the greatest is 1."""
        summed = self._log_priors
        for head in [head for head in self._columns if head in scores]:
            exponent = exponents[head]
            logs = [exponent * math.log(value + FLOOR) for value in scores[head]]
            summed = [value + logs[column] for value, column in zip(summed, self._columns[head], strict=True)]
        highest = max(summed)
        return [math.exp(value - highest) for value in summed]


def _cost(trust: float) -> str:
    return f" That leaves {trust:.0%} of the confidence." if trust < _STRONG else ""


def _log_priors(release: Release) -> list[float]:
    """log P(path | type), weighted, of each path of the taxonomy."""
    of_type: Counter[str] = Counter()
    for path in release.taxonomy:
        of_type[path.labels[-1]] += path.count
    return [release.joint[PATH] * math.log(path.count / of_type[path.labels[-1]]) for path in release.taxonomy]


def _absent(level: str, release: Release) -> Fields:
    words = level.replace("_", " ")
    return {"level": level, "message": f"The catalogue that release {release.version} learnt from has no {words}."}


def _best(values: Sequence[float], count: int) -> list[int]:
    """Positions of the ``count`` greatest values, greatest first; of equals the first."""
    if count == 1:  # in a tenth of the time
        return [max(range(len(values)), key=values.__getitem__)]
    return sorted(range(len(values)), key=values.__getitem__, reverse=True)[:count]
