"""Scores a release on any catalogue, a batch at a time, so that no number of pictures fills the memory."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.catalogue.example_gen.stream import LabelledPicture, LabelledPictures
from components.evaluation.classification_metrics import ClassificationTally, wilson_interval
from components.evaluation.familiarity import LEFT_OUT, FamiliarityCheck, of_drawn_pictures
from pipeline.errors import RunError
from schema import heads as table
from schema import names
from schema.model_card import ModelCard
from schema.release_folder import Release, ReleaseError, ReleaseFolder
from serving.merger.core.merge import Merger
from serving.merger.core.release import make_release, parse_card

_BATCH = 64
_FIGURES = ("top_1", "top_5", "macro_f1", "ece", "count")


class ReleasedModels:
    """Both models of one release, loaded in this process."""

    def __init__(self, directory: Path, version: int | None = None):
        """Loads a release.

        Args:
            directory: of releases.
            version: of the release; the current one where none is given.

        Raises:
            RunError: there is no such release, or its files are not those that its manifest lists.
        """
        store = ReleaseFolder(directory)
        self.version = sound_release(store, version).version
        # Kept whole: signatures alone do not keep their variables alive.
        self.saved_models = {
            name: tf.saved_model.load(str(store.model_path(name, self.version))) for name in table.MODELS
        }
        cards = {name: _card(model, name) for name, model in self.saved_models.items()}
        self.release = make_release(self.version, cards, {})
        self.heads, self.levels, self.merger = self.release.heads, self.release.levels, Merger(self.release)
        self.familiarity = cards[names.ARTICLE_TYPE].familiarity

    def scores(self, images: list[bytes]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Head → float32[N, C], and the familiarity float32[N] where the release tells it; bool[N]: is it decoded."""
        found: dict[str, np.ndarray] = {}
        for model, outputs in self.outputs(dict.fromkeys(self.saved_models, images)):
            wanted = {*self.release.cards[model].heads, names.FAMILIARITY, names.IMAGE_OK}
            found.update({name: tensor.numpy() for name, tensor in outputs.items() if name in wanted})
        return found, found.pop(names.IMAGE_OK)

    def outputs(
        self, images: Mapping[str, list[bytes]], given: Sequence[str] = ()
    ) -> Iterator[tuple[str, Mapping[str, tf.Tensor]]]:
        """Asks one model after the other; where they share features, one from what the other saw.

        Args:
            images: model → N encoded pictures, as it wants them.
            given: the plain name of each, "" for none; empty where none has one.

        Yields:
            A model that has heads, and the outputs of the signature that tells its scores: see :mod:`schema.names`.
        """
        told: dict[str, Mapping[str, tf.Tensor]] = {}
        shared = self.release.features_from
        for model in self.release.in_turn:
            signature, inputs = self._question(model, images[model], given, told.get(shared.get(model, "")))
            told[model] = self.saved_models[model].signatures[signature](**inputs)
            yield model, told[model]

    def _question(
        self, model: str, images: list[bytes], given: Sequence[str], seen: Mapping[str, tf.Tensor] | None
    ) -> tuple[str, dict[str, tf.Tensor]]:
        """The signature to ask for and its inputs; ``seen``: what the other model told, where they share features."""
        tells, hears = model in self.release.features_from.values(), self.release.cards[model].name_weights
        if seen is not None:
            inputs = {name: seen[name] for name in names.OF_FEATURES}
            signature = names.SCORES_FROM_FEATURES
        else:
            inputs = {names.IMAGE: tf.constant(images, tf.string)}
            by_picture = names.SCORES_WITH_NAME if given and hears else names.SCORES
            signature = names.SCORES_WITH_MEMORY if tells else by_picture
        if hears and signature != names.SCORES:
            inputs[names.NAME] = tf.constant(given or [""] * len(images), tf.string)
        return signature, inputs

    def joint(self, scores: dict[str, list[float]]) -> Any:
        """The joint answer to one picture, by level, with its confidence; ``scores``: level → one row."""
        return self.merger.merge(scores, top_k=1).joint


def sound_release(folder: ReleaseFolder, version: int | None) -> Release:
    """The release of that version, or the current one, held to its manifest.

    Raises:
        RunError: there is none, or its files are not those that its manifest lists.
    """
    try:
        folder.require_plain()
        folder.require_whole()
        releases = {release.version: release for release in folder.releases()}
        wanted = version or max(releases, default=0)
        if wanted not in releases:
            there = f"it has: {[*releases]}" if releases else "make one with: lookbook run --data PATH"
            raise RunError(f"{folder.directory} has no release{f' {version}' if version else ''}; {there}")
        folder.verify(releases[wanted])
    except ReleaseError as error:
        raise RunError(str(error)) from error
    return releases[wanted]


@dataclass
class Score:
    """What a release is worth on a catalogue.

    Attributes:
        version: of the release.
        heads: head → what its model says by itself.
        joint: level of the taxonomy → what the joint answer says, which always is a known path.
        all_right: pictures whose joint answer is right on every level that both release and catalogue tell.
        unknown_labels: head → label of the catalogue that the release does not know → its pictures.
        undecodable: ids of pictures that a model could not decode.
        familiar: familiarity of each picture whose article type the release knows.
        unfamiliar: the same of the others.
        familiarity: how well it tells the two, and drawn pictures of no product, apart; None where it cannot.
        rejected: rows that could not be used.
    """

    version: int
    heads: dict[str, ClassificationTally]
    joint: dict[str, ClassificationTally]
    all_right: int = 0
    unknown_labels: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    undecodable: list[str] = field(default_factory=list)
    familiar: list[float] = field(default_factory=list)
    unfamiliar: list[float] = field(default_factory=list)
    familiarity: FamiliarityCheck | None = None
    rejected: list[Any] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Per head the model's own figures, those of the joint answer, and what could not be counted."""
        count = self.heads[names.ARTICLE_TYPE].count
        return {
            "release": self.version,
            "count": count,
            "heads": {head: _chosen(tally, _FIGURES) for head, tally in self.heads.items()},
            "joint": {
                **{head: _chosen(tally, ("top_1", "macro_f1", "count")) for head, tally in self.joint.items()},
                "all_right": self.all_right / count if count else None,
                "all_right_interval": wilson_interval(self.all_right, count) if count else None,
            },
            "unknown_labels": {head: dict(labels.most_common()) for head, labels in self.unknown_labels.items()},
            "familiarity": [_plain(row) for row in self.familiarity.rows()] if self.familiarity else None,
            "undecodable": self.undecodable,
            "rejected": [{"id": one.id, "line": one.line, "reason": one.reason.value} for one in self.rejected],
        }


def score_catalogue(
    models: ReleasedModels, pictures: LabelledPictures, progress: Callable[[int], object] = lambda rows: None
) -> Score:
    """Asks both models about every picture.

    Args:
        models: of the release.
        pictures: with the truth.
        progress: called with the number of rows done since the last call.
    """
    score = Score(
        models.version,
        heads={head: ClassificationTally() for head in models.heads},
        joint={level: ClassificationTally() for level in models.levels},
    )
    for batch in _batches(pictures, _BATCH):
        scores, is_ok = models.scores([picture.image for picture in batch])
        for index, picture in enumerate(batch):
            if is_ok[index]:
                _add(score, models, picture, {head: values[index] for head, values in scores.items()})
            else:
                score.undecodable.append(picture.id)
        progress(len(batch))
    score.rejected = list(pictures.rejected)
    score.familiarity = _check_familiarity(score, models)
    return score


def _check_familiarity(score: Score, models: ReleasedModels) -> FamiliarityCheck | None:
    if models.familiarity is None:
        return None
    strange = of_drawn_pictures(lambda images: models.scores(images)[0][names.FAMILIARITY])
    left_out = {LEFT_OUT: np.array(score.unfamiliar)} if score.unfamiliar else {}
    return FamiliarityCheck(np.array(score.familiar), {**strange, **left_out}, models.familiarity.review_threshold)


def _plain(row: dict[str, float | str]) -> dict[str, float | str | None]:
    # NaN is no JSON.
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def _add(score: Score, models: ReleasedModels, picture: LabelledPicture, scores: dict[str, np.ndarray]) -> None:
    familiarity = scores.pop(names.FAMILIARITY, None)
    if familiarity is not None:
        is_known = picture.labels[names.ARTICLE_TYPE_LABEL] in models.heads[names.ARTICLE_TYPE].labels
        (score.familiar if is_known else score.unfamiliar).append(float(familiarity))
    for head, values in scores.items():
        best = np.argsort(-values, kind="stable")[: names.TOP_K]
        ranked = [models.heads[head].labels[i] for i in best]
        truth = picture.labels.get(models.heads[head].column)
        if truth is not None:
            score.heads[head].add(truth, ranked, float(values[best[0]]))
            if truth not in models.heads[head].labels:
                score.unknown_labels[head][truth] += 1
    joint = models.joint({level: scores[level].tolist() for level in models.levels})
    columns = {level: models.heads[level].column for level in models.levels}
    truths = {level: picture.labels[column] for level, column in columns.items() if column in picture.labels}
    for head, truth in truths.items():
        score.joint[head].add(truth, [getattr(joint, head)], joint.confidence)
    score.all_right += all(getattr(joint, head) == truth for head, truth in truths.items())


def _chosen(tally: ClassificationTally, wanted: Iterable[str]) -> dict[str, Any]:
    figures = tally.figures()
    # NaN is no JSON.
    chosen: dict[str, Any] = {name: figures[name] if tally.count else None for name in wanted}
    return {**chosen, "top_1_interval": tally.interval() if tally.count else None}


def _batches(pictures: Iterable[LabelledPicture], size: int) -> Iterator[list[LabelledPicture]]:
    iterator = iter(pictures)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _card(model: Any, name: str) -> ModelCard:
    values = model.signatures[names.METADATA](keys=tf.constant([names.CARD_KEY]))[names.METADATA_VALUES]
    return parse_card(values.numpy()[0].decode(), name)
