"""Both models are asked at once; who fails, who is late and who is not waited for any more."""

import asyncio
import gc
from collections.abc import Mapping
from typing import Any

import pytest

from serving.merger.core.errors import LookbookError, ModelUnavailable
from serving.merger.models.fan_out import ask_models
from serving.merger.models.micro_batcher import MicroBatcher
from serving.merger.models.replies import ModelScores
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
