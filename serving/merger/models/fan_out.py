"""Asks both models for one version: at once, or one from what the other saw, where their release shares features.

Where it does, one network runs for an answer and not two. A model that tells no features leaves the other to look by
itself where a partial answer would do.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schema.model_card import ModelCard
from schema.product_names import plain
from serving.merger.core.corrections import Placed
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import LookbookError, ModelUnavailable, VersionGone
from serving.merger.core.hearing import Heard
from serving.merger.core.images import Picture, Size
from serving.merger.core.release import Release
from serving.merger.models.backend import Scorer
from serving.merger.models.messages import ModelScores, ScoresRequest

FEATURES_SHARE: Final = 0.4
"""Share of the time for which a model waits for another's features where a partial answer would do.

What is left has to be enough for the breaker to count it, if that model hangs as well.
"""


@dataclass(frozen=True)
class Replies:
    """What the models said of N pictures: scores by model, and the error of each model that gave none."""

    scores: Mapping[str, ModelScores]
    missing: Mapping[str, LookbookError]

    def heard(self, row: int) -> list[Heard]:
        """What the models that hear names say of the name of the picture in ``row``."""
        return [reply.heard[row] for reply in self.scores.values() if reply.heard]

    def placed(self, row: int) -> Placed | None:
        """Where the picture in ``row`` lies among the known ones; None where no model says it."""
        return next((reply.placed[row] for reply in self.scores.values() if reply.placed), None)


async def ask_models(
    scorers: Mapping[str, Scorer],
    release: Release,
    pictures: Sequence[Picture],
    timeout_s: float,
    *,
    allow_partial: bool,
    placed: bool = False,
) -> Replies:
    """Full scores of N pictures by the models of ``release`` that have heads, or by the one that answers.

    With ``placed``, the model that has a memory tells where each picture lies in it. One that shares its features is
    asked from them, in what is left of ``timeout_s``.

    Raises:
        VersionGone: a model does not have the release's version.
        LookbookError: a model failed; with ``allow_partial``, so many that no level of the taxonomy is told.
    """
    missing: dict[str, LookbookError] = {model: _absent(model, why) for model, why in release.absent.items()}
    if missing and not allow_partial:
        raise next(iter(missing.values()))
    asking = _Asking(scorers, release, pictures, timeout_s, placed)
    tasks: dict[str, asyncio.Task[ModelScores]] = {}
    for model in release.in_turn:  # one that its catalogue had nothing for has no heads, and nothing to say
        if telling := tasks.get(release.features_from.get(model, "")):
            coroutine = asking.from_features(model, telling, allow_partial)
        else:
            coroutine = asking.by_pictures(model, timeout_s)
        tasks[model] = asyncio.create_task(coroutine)
    for task in tasks.values():
        # One that is cancelled below may still fail by itself; nobody waits for it then.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
    patience = asyncio.ALL_COMPLETED if allow_partial else asyncio.FIRST_EXCEPTION
    try:
        await asyncio.wait(tasks.values(), return_when=patience)
    finally:
        for task in tasks.values():
            task.cancel()
    return _collect(tasks, missing, release.levels if allow_partial else ())


@dataclass(frozen=True)
class _Asking:
    """The questions of one call of :func:`ask_models`, which says what the parts are."""

    scorers: Mapping[str, Scorer]
    release: Release
    pictures: Sequence[Picture]
    timeout_s: float
    placed: bool

    def _given(self, card: ModelCard) -> list[str]:
        is_any = card.name_weights and any(picture.name for picture in self.pictures)
        return [plain(picture.name) for picture in self.pictures] if is_any else []

    async def by_pictures(self, model: str, timeout_s: float) -> ModelScores:
        """The scores of a model that looks at the pictures, with the features if another needs them."""
        card = self.release.cards[model]
        request = ScoresRequest(
            [picture.bytes_for(Size.of(card)) for picture in self.pictures],
            self.release.version,
            card,
            self._given(card),
            placed=self.placed and card.memory is not None,
            with_features=model in self.release.features_from.values(),
        )
        return await self.scorers[model].scores(request, timeout_s)

    async def from_features(self, model: str, telling: "asyncio.Task[ModelScores]", allow_partial: bool) -> ModelScores:
        """The scores of a model by the features that ``telling`` asks another for.

        With ``allow_partial`` by the pictures, if the other fails or takes so long that there would soon be no time to
        look at them.

        Raises:
            LookbookError: it failed; without ``allow_partial`` or the version, the other.
        """
        deadline, card = Deadline(self.timeout_s), self.release.cards[model]
        await asyncio.wait([telling], timeout=FEATURES_SHARE * self.timeout_s if allow_partial else None)
        error = telling.exception() if telling.done() else None
        if error and (isinstance(error, VersionGone) or not allow_partial):
            raise error
        if error or not telling.done():
            return await self.by_pictures(model, deadline.remaining_s)
        features = telling.result().features
        request = ScoresRequest([], self.release.version, card, self._given(card), features=features)
        return await self.scorers[model].scores(request, deadline.remaining_s)


def _absent(model: str, why: str) -> ModelUnavailable:
    return ModelUnavailable(why, model=model, retry_after_s=1.0)


def _collect(
    tasks: Mapping[str, "asyncio.Task[ModelScores]"], missing: dict[str, LookbookError], enough: Collection[str]
) -> Replies:
    """What came back; one of the heads in ``enough`` makes an answer when a model is missing."""
    scores = {}
    for model, task in tasks.items():
        if not task.done():
            continue  # another failed first, and that is raised below
        error = task.exception()
        if error is None:
            scores[model] = task.result()
        elif isinstance(error, LookbookError):
            missing[model] = error
        else:
            raise error
    gone = [error for error in missing.values() if isinstance(error, VersionGone)]
    if gone:
        raise gone[0]
    if missing and not any(head in reply.heads for reply in scores.values() for head in enough):
        raise next(iter(missing.values()))
    return Replies(scores, missing)
