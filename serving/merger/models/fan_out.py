"""Asks both models at once, for one version."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from schema.product_names import plain
from serving.merger.core.corrections import Placed
from serving.merger.core.errors import LookbookError, ModelUnavailable, VersionGone
from serving.merger.core.hearing import Heard
from serving.merger.core.images import Picture, Size
from serving.merger.core.release import Release
from serving.merger.models.backend import Scorer, ScoresRequest
from serving.merger.models.replies import ModelScores


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

    With ``placed``, the model that has a memory tells where each picture lies in it.

    Raises:
        VersionGone: a model does not have the release's version.
        LookbookError: a model failed; with ``allow_partial``, so many that no level of the taxonomy is told.
    """
    missing: dict[str, LookbookError] = {model: _absent(model, why) for model, why in release.absent.items()}
    if missing and not allow_partial:
        raise next(iter(missing.values()))
    given = [plain(picture.name) for picture in pictures] if any(picture.name for picture in pictures) else []
    tasks = {
        model: asyncio.create_task(
            scorers[model].scores(
                ScoresRequest(
                    [p.bytes_for(Size.of(card)) for p in pictures],
                    release.version,
                    card,
                    given if card.name_weights else (),
                    placed and card.memory is not None,
                ),
                timeout_s,
            )
        )
        for model, card in release.cards.items()
        if card.heads  # one that its catalogue had nothing for has nothing to say
    }
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
