"""Both models are asked at once, or one after the other; who fails, who is late and who is not waited for any more."""

import asyncio
import dataclasses
import gc
from array import array
from collections.abc import Mapping
from typing import Any

import pytest

from schema.card_fields import Field
from schema.card_parts import read_memory
from serving.merger.core.errors import LookbookError, ModelUnavailable, VersionGone
from serving.merger.core.images import Picture, Size
from serving.merger.core.release import Release, make_release
from serving.merger.models.backend import PATIENT_SHARE
from serving.merger.models.fan_out import FEATURES_SHARE, ask_models
from serving.merger.models.messages import Features, ModelScores, ScoresRequest
from serving.merger.models.micro_batcher import MicroBatcher
from serving.merger.settings import Settings
from tests.serving.fake_model_server import MEMORY
from tests.serving.releases_for_tests import release


async def pause(steps: int) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)


class Failing:
    """A model that fails for all of its callers, so many steps of the event loop after a moment."""

    servers = 1

    def __init__(self, model: str, moment: asyncio.Event, steps: int) -> None:
        self.model = model
        self._moment = moment
        self._steps = steps

    async def scores(self, *_: Any) -> ModelScores:
        await self._moment.wait()
        await pause(self._steps)
        raise ModelUnavailable("gone", model=self.model)


@pytest.mark.parametrize("steps", range(8))
async def test_no_failure_is_left_over(steps: int) -> None:
    """The models fail one just after the other: each caller gets one error, and none is left that nobody looked at."""
    complaints: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    one, moment = release(), asyncio.Event()
    clients: list[Any] = [Failing("article_type", moment, 0), Failing("category", moment, steps)]
    scorers = {client.model: MicroBatcher(client, calls=1, images=4) for client in clients}
    asked = [asyncio.create_task(ask_models(scorers, one, [], 5.0, allow_partial=False)) for _ in range(20)]
    await pause(3)
    moment.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(outcome, LookbookError) for outcome in outcomes)
    await pause(10)
    del asked, outcomes, scorers
    gc.collect()
    assert not [complaint["message"] for complaint in complaints]


async def test_cancelled_model_that_fails_by_itself() -> None:
    """The model that is not waited for any more may fail instead of ending: nobody hears of it."""
    complaints: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    class Stubborn:
        async def scores(self, *_: Any) -> ModelScores:
            try:
                await asyncio.Event().wait()
            finally:
                raise ModelUnavailable("gone while it was cancelled", model="category")

    class Quick:
        async def scores(self, *_: Any) -> ModelScores:
            raise ModelUnavailable("gone", model="article_type")

    scorers: Any = {"article_type": Quick(), "category": Stubborn()}
    with pytest.raises(ModelUnavailable, match=r"^gone$"):
        await ask_models(scorers, release(), [], 5.0, allow_partial=False)
    await pause(5)
    gc.collect()
    assert not [complaint["message"] for complaint in complaints]


PICTURE = Picture({Size(16, 12): b"encoded"}, "JPEG", 12, 16, 7, False, 0.0)


def sharing() -> Release:
    """A release whose category model answers from the other's features."""
    both = release(shared_features="one")
    telling = dataclasses.replace(both.cards["article_type"], memory=read_memory(Field("memory", MEMORY)))
    return make_release(1, {**both.cards, "article_type": telling}, {})


class Model:
    """Answers after so many seconds, or fails then."""

    def __init__(self, takes_s: float = 0.0, error: Exception | None = None) -> None:
        self._takes_s = takes_s
        self._error = error
        self.asked: list[tuple[ScoresRequest, float]] = []
        self.was_cancelled = False

    async def scores(self, request: ScoresRequest, timeout_s: float) -> ModelScores:
        self.asked.append((request, timeout_s))
        try:
            await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if self._error:
            raise self._error
        heads = {head: [array("f", [1.0])] for head in request.card.heads}
        told = [Features(array("f", [0.5]), array("i", [1]), array("f", [1.0]))] if request.with_features else []
        return ModelScores(heads, [True], self._takes_s, features=told)


async def test_the_second_call_gets_the_time_that_is_left() -> None:
    """What the first model takes of the time is not there for the second, which is asked from its features alone."""
    models: Any = {"article_type": Model(takes_s=0.3), "category": Model()}
    replies = await ask_models(models, sharing(), [PICTURE], 1.0, allow_partial=False)
    [(first, whole_s)], [(second, left_s)] = models["article_type"].asked, models["category"].asked
    assert whole_s == 1.0 and 0.2 < left_s <= 0.7
    assert first.with_features and (second.features, second.images) == (replies.scores["article_type"].features, [])


async def test_a_part_leaves_time_to_look() -> None:
    """Where a part would do, a first model that takes too long is not waited for; if it answers, so is the whole."""
    models: Any = {"article_type": Model(takes_s=0.75), "category": Model()}
    replies = await ask_models(models, sharing(), [PICTURE], 1.0, allow_partial=True)
    [(second, left_s)] = models["category"].asked
    assert (second.signature, second.images) == ("scores", [b"encoded"]) and left_s > 0.25
    assert set(replies.scores) == {"article_type", "category"} and not replies.missing


@pytest.mark.parametrize("allow_partial", [False, True])
async def test_a_version_that_is_gone_is_told_at_once(allow_partial: bool) -> None:
    """There is no use in half an answer of a release that has gone: the second model is not asked."""
    models: Any = {"article_type": Model(error=VersionGone("gone", model="article_type")), "category": Model()}
    with pytest.raises(VersionGone):
        await ask_models(models, sharing(), [PICTURE], 1.0, allow_partial=allow_partial)
    assert not models["category"].asked


async def test_a_caller_who_goes_leaves_nothing_behind() -> None:
    """When the caller goes while the first model works, that call ends and the second is never made."""
    models: Any = {"article_type": Model(takes_s=5.0), "category": Model()}
    task = asyncio.create_task(ask_models(models, sharing(), [PICTURE], 10.0, allow_partial=True))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await pause(5)
    assert models["article_type"].was_cancelled and not models["category"].asked


def test_who_waits_for_features_has_time_left_that_counts():
    """A model that hangs behind one that hangs fails by its breaker's measure, or nobody would leave it alone."""
    settings = Settings()
    left_ms = (1 - FEATURES_SHARE) * (settings.request_timeout_ms - settings.reserve_ms)
    assert left_ms >= PATIENT_SHARE * settings.request_timeout_ms
