"""The model card: what a SavedModel tells of itself. The only place that knows its format.

It travels inside the model, as JSON behind the ``metadata`` signature (key :data:`schema.names.CARD_KEY`), and lies
beside the graph as ``assets.extra/card.json`` for whoever wants to read it without loading a model.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from schema import heads as table
from schema.card_fields import CardError, Field, read_document
from schema.card_parts import FamiliarityCard, MemoryCard, read_familiarity, read_memory
from schema.eval_histograms import EvalHistograms, read_histograms

FORMAT: Final = 9
"""Version of the format.

1: had no ``format``, and its heads neither ``column`` nor ``level``; those are taken from the table of heads.
2: a head tells its column and its level.
3: ``trial``, and ``joint.contradiction``; without them a release is no trial, and nothing lowers its confidence.
4: ``levels``; without it a release has every level of the table of heads.
5: ``familiarity``, ``known_pictures`` and ``eval_histograms``; without them none of the three can be told.
6: ``name_weights``, else no name is heard. 7: ``memory``, else corrections count from the next training on.
8: its ``discount``, else 0. 9: ``shared_features``, else each model looks at the picture itself.
A field that is not known is left alone, so a newer card is read as long as all that is known is there.
"""

ALWAYS_REVIEW: Final = 1.01
"""The review threshold of a head none of whose confidences was found good enough: no answer reaches it."""

PATH: Final = "path"
"""Key of the exponent of P(path | article type) in ``joint``."""

CONTRADICTION: Final = "contradiction"
"""Key in ``joint`` of the exponent by which contradiction lowers the joint confidence; a card without it has none.

The contradiction of an answer is what its heads give up for it: the sum over the heads of the taxonomy of
``log(P(head's best label) / P(answer's label))``, 0 where each says by itself what is answered.
"""

MAX_EXPONENT: Final = 100.0
"""Largest exponent in ``joint``; much larger ones would make the joint answer's logarithms infinite."""

_FILE: Final = Path("assets.extra") / "card.json"
T = TypeVar("T")


@dataclass(frozen=True, order=True)
class TaxonomyPath:
    """A path seen in training; sorts from the top down.

    Attributes:
        labels: of each level, from the top down.
        count: rows of it in the training split, at least 1.
    """

    labels: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class HeadCard:
    """One head of a model.

    Attributes:
        labels: in the order of the ``scores`` signature.
        column: of ``styles.csv`` that its labels came from.
        level: depth in the taxonomy, 0 at the top; None for an attribute.
        temperature: above 0; already applied to the scores, and so is the curvature.
        curvature: at least 0; see ``components/model/calibration.py``.
        review_threshold: confidence below which a person should look; :data:`ALWAYS_REVIEW` where none is enough.
        review_precision: share that was right at or above it on the eval split.
    """

    labels: tuple[str, ...]
    column: str
    level: int | None
    temperature: float = 1.0
    curvature: float = 0.0
    review_threshold: float = ALWAYS_REVIEW
    review_precision: float = 0.0


@dataclass(frozen=True)
class ModelCard:
    """What one model tells of itself.

    Attributes:
        model: its name, as TensorFlow Serving knows it.
        height: of the pictures that it sees, in pixels.
        width: the same.
        heads: by name.
        taxonomy: every path seen in training, sorted, with labels of ``levels``; the same in both models of a release.
        joint: exponents of the joint answer by head of the taxonomy, :data:`PATH` and :data:`CONTRADICTION`; the same
          in both models.
        training: free-form provenance: profile, data, hyper-parameters.
        trial: whether it was released on too few rows to mean much, because somebody asked for a trial.
        levels: names of the taxonomy's heads that the catalogue had, from the top down; the same in both models.
        familiarity: how it tells whether a picture is like those that it knows; None where it does not.
        known_pictures: how many its signature ``neighbours`` can name; 0 where it has none.
        eval_histograms: what it saw in eval; None where that was not kept.
        name_weights: head → how much a product's name counts; already applied by the signature ``scores_with_name``,
          which it lacks where this is empty.
        memory: how its known pictures vote, as ``scores_with_memory`` tells it; None where it lacks that signature.
        shared_features: digest of what its answers rest on; a model answers from features of another that has the same.
        format: version of the format that it was read from.
    """

    model: str
    height: int
    width: int
    heads: Mapping[str, HeadCard]
    taxonomy: tuple[TaxonomyPath, ...]
    joint: Mapping[str, float]
    training: Mapping[str, Any] = field(default_factory=dict)
    trial: bool = False
    levels: tuple[str, ...] = field(default_factory=lambda: _every_level())
    familiarity: FamiliarityCard | None = None
    known_pictures: int = 0
    eval_histograms: EvalHistograms | None = None
    name_weights: Mapping[str, float] = field(default_factory=dict)
    memory: MemoryCard | None = None
    shared_features: str = ""
    format: int = FORMAT

    def attributes(self) -> tuple[str, ...]:
        """Names of this model's heads outside the taxonomy."""
        return tuple(name for name, head in self.heads.items() if head.level is None)

    def to_json(self) -> str:
        """The card as a JSON object, always in the newest format."""
        document = {
            "format": FORMAT,
            "model": self.model,
            "image": {"height": self.height, "width": self.width},
            "heads": {name: {**vars(head), "labels": list(head.labels)} for name, head in self.heads.items()},
            "taxonomy": [
                {**dict(zip(self.levels, path.labels, strict=True)), "count": path.count} for path in self.taxonomy
            ],
            "joint": dict(self.joint),
            "training": dict(self.training),
            "levels": list(self.levels),
            "trial": self.trial,
            "familiarity": asdict(self.familiarity) if self.familiarity else None,
            "known_pictures": self.known_pictures,
            "eval_histograms": asdict(self.eval_histograms) if self.eval_histograms else None,
            "name_weights": dict(self.name_weights),
            "memory": asdict(self.memory) if self.memory else None,
            "shared_features": self.shared_features,
        }
        return json.dumps(document, ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """Reads a card of any format that has all that is known of.

        Raises:
            CardError: it is no JSON object, lacks a field, or contradicts itself.
        """
        document = read_document(text)
        version = document.get("format", 1) if isinstance(document, dict) else 1
        try:
            return _read(Field("", document))
        except CardError as error:
            if not isinstance(version, int) or version <= FORMAT:
                raise
            raise CardError(f"{error}; the card has format {version}, and this version reads up to {FORMAT}") from error


def _read(document: Field) -> ModelCard:
    levels = _read_levels(document.get("levels", list(_every_level())))
    joint = document["joint"]
    exponents = [*levels, PATH, *({CONTRADICTION} & set(joint.mapping()))]
    heads = {name: _read_head(name, head) for name, head in document["heads"].fields().items()}
    classes = {name: len(head.labels) for name, head in heads.items()}
    card = ModelCard(
        model=document["model"].text(),
        height=document["image"]["height"].whole(at_least=1),
        width=document["image"]["width"].whole(at_least=1),
        heads=heads,
        taxonomy=_read_taxonomy(document["taxonomy"], levels),
        joint={key: joint[key].number(0, MAX_EXPONENT) for key in exponents},
        training=document["training"].mapping(),
        trial=document.get("trial", False).expect(bool, "true or false"),
        levels=levels,
        familiarity=read_familiarity(document.get("familiarity", None)),
        known_pictures=document.get("known_pictures", 0).whole(at_least=0),
        eval_histograms=read_histograms(document.get("eval_histograms", None), classes),
        name_weights=_read_name_weights(document),
        memory=read_memory(document.get("memory", None)),
        shared_features=document.get("shared_features", "").expect(str, "a text"),
        format=document.get("format", 1).whole(at_least=1),
    )
    _require_known_labels(card, levels)
    return card


def _read_name_weights(document: Field) -> dict[str, float]:
    weights = document.get("name_weights", {})
    found = {head: weight.number(0) for head, weight in weights.fields().items()}
    if found and set(found) != set(document["heads"].mapping()):
        raise weights.wrong("a number for each of the heads, or nothing")
    return found


def _every_level() -> tuple[str, ...]:
    return tuple(head.name for head in table.taxonomy())


def _read_levels(levels: Field) -> tuple[str, ...]:
    found, every = [level.text() for level in levels.items()], _every_level()
    if every[-1] not in found or found != [level for level in every if level in found]:
        raise levels.wrong(f"some of {', '.join(every)}, in this order, with {every[-1]}")
    return tuple(found)


def _read_head(name: str, head: Field) -> HeadCard:
    row = next((row for row in table.HEADS if row.name == name), None)
    level = head["level"] if row is None else head.get("level", row.level)
    threshold = head["review_threshold"]
    return HeadCard(
        labels=_labels(head["labels"]),
        column=(head["column"] if row is None else head.get("column", row.column)).text(),
        level=None if level.value is None else level.whole(at_least=0),
        temperature=head["temperature"].positive(),
        curvature=head.get("curvature", 0.0).number(0),
        review_threshold=_threshold(threshold),
        review_precision=head["review_precision"].number(0, 1),
    )


def _labels(labels: Field) -> tuple[str, ...]:
    found = [label.text() for label in labels.items()]
    if not found:
        raise labels.wrong("a list of at least one label")
    return _unique(labels, found)


def _threshold(threshold: Field) -> float:
    if threshold.value == ALWAYS_REVIEW:
        return ALWAYS_REVIEW
    try:
        return threshold.number(0, 1)
    except CardError as error:
        raise threshold.wrong(f"a number from 0 to 1, or {ALWAYS_REVIEW} where every answer needs a look") from error


def _read_taxonomy(taxonomy: Field, levels: Sequence[str]) -> tuple[TaxonomyPath, ...]:
    paths = [
        TaxonomyPath(tuple(path[level].text() for level in levels), path["count"].whole(at_least=1))
        for path in taxonomy.items()
    ]
    if not paths:
        raise taxonomy.wrong("a list of at least one path")
    _unique(taxonomy, [path.labels for path in paths])
    return tuple(sorted(paths))


def _unique(where: Field, values: list[T]) -> tuple[T, ...]:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise CardError(f"the card's {where.name} has {twice[0]!r} twice; each must stand there once")
    return tuple(values)


def _require_known_labels(card: ModelCard, levels: Sequence[str]) -> None:
    for depth, level in enumerate(levels):
        if level in card.heads:
            unknown = sorted({path.labels[depth] for path in card.taxonomy} - set(card.heads[level].labels))
            if unknown:
                raise CardError(
                    f"the card's taxonomy has the {level} {unknown[0]!r}, which is not among heads.{level}.labels"
                )


def write_file(saved_model: Path, card: ModelCard) -> None:
    """Writes the card as a file into a SavedModel's folder."""
    path = saved_model / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card.to_json() + "\n", encoding="utf-8")


def read_file(saved_model: Path) -> ModelCard:
    """The card in a SavedModel's folder.

    Raises:
        CardError: there is none, or it cannot be read.
    """
    path = saved_model / _FILE
    try:
        return ModelCard.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, CardError) as error:
        raise CardError(f"{path} cannot be read: {error}") from error
