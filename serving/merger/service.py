"""The classifier itself: check the picture → ask both models → merge. Knows no transport."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from schema import names
from serving.merger import similar
from serving.merger.admission.in_flight import Limiter
from serving.merger.admission.rate_limiter import RateLimiter
from serving.merger.answers import Outcome, answer, milliseconds, result
from serving.merger.core.calls import Call, Item, StreamItem
from serving.merger.core.corrections import Overlays, Placed, Say
from serving.merger.core.errors import BatchTooLarge, DeadlineExceeded, LookbookError, Overloaded, VersionGone
from serving.merger.core.hearing import hearing, require_short
from serving.merger.core.images import Inspected, Picture, Size
from serving.merger.decoding.gate import PictureGate, Unread
from serving.merger.explain import Explainer, Question
from serving.merger.models.backend import NeighbourFinder, Scorer
from serving.merger.models.fan_out import Replies, ask_models
from serving.merger.models.messages import ScoresRequest
from serving.merger.models.product_index import ProductIndexes
from serving.merger.models.releases import Candidate, Releases
from serving.merger.review.desk import Desk
from serving.merger.settings import Settings
from serving.merger.similar import Similar
from serving.merger.telemetry import Telemetry
from serving.merger.thumbnails import Thumbnails
from serving.proto.lookbook.v1 import classifier_pb2 as pb

LARGEST_RESERVE: Final = 0.2
"""Share of a short deadline that is kept back from the models at most."""


class Classifier:
    """Classifies pictures by the release of the moment.

    Args:
        settings: limits and times.
        scorers: by model.
        finder: of the article type's model.
        releases: says which version to ask.
        telemetry: is told of every picture.
        desk: gets the answers that a person should look at; None where they are not kept.
        overlays: of pictures that people decided about; None where nothing is learnt from that.
    """

    def __init__(
        self,
        settings: Settings,
        scorers: Mapping[str, Scorer],
        finder: NeighbourFinder,
        releases: Releases,
        telemetry: Telemetry,
        desk: Desk | None = None,
        overlays: Overlays | None = None,
    ) -> None:
        self._settings = settings
        self._scorers, self._releases = scorers, releases
        self._telemetry = telemetry
        self._desk = desk
        self._overlays = overlays or Overlays()
        self._limiter = Limiter(settings.max_active_images, settings.max_queued_images)
        self._rates = RateLimiter(settings.rate_images_per_s, settings.rate_burst_images)
        self._explainer = Explainer(scorers, self._limiter, settings.model_batch_images)
        self._similar = Similar(finder, Thumbnails(settings.thumbnails_dir), ProductIndexes(settings.thumbnails_dir))
        self._pictures = PictureGate(settings)
        self.start, self.stop = self._pictures.start, self._pictures.stop
        telemetry.watch(lambda: self._limiter.active, lambda: self._limiter.queued)

    async def classify(self, image: bytes, call: Call, name: str = "") -> pb.ClassifyResponse:
        """The answer for one picture, and for its product's name where one is given.

        Raises:
            LookbookError: there is none.
        """
        (outcome,) = await self._classify([Item("", image, name)], call)
        if isinstance(outcome, LookbookError):
            raise outcome
        return outcome

    def shed(self, caller: str, request_id: str) -> Overloaded | None:
        """Why a picture that came now would be refused, noted as its refusal; None when it has a chance."""
        try:
            self._limiter.check(1, caller)
        except Overloaded as error:
            self._telemetry.refused(error.code, request_id, error.detail)
            return error
        return None

    async def classify_batch(self, items: Sequence[Item], call: Call) -> pb.ClassifyBatchResponse:
        """An answer or an error for each of N pictures, in order.

        Raises:
            BatchTooLarge: N is over the limit.
        """
        started = time.perf_counter()
        if len(items) > (limit := self._settings.max_batch_images):
            raise BatchTooLarge(f"The call has {len(items)} pictures; at most {limit} are allowed.")
        step = self._settings.model_batch_images
        chunks = [items[start : start + step] for start in range(0, len(items), step)]
        # The caller waits for all of them anyway, so the chunks may wait for places; the first one may be refused.
        done = await asyncio.gather(*(self._classify(chunk, call, is_patient=i > 0) for i, chunk in enumerate(chunks)))
        outcomes = [outcome for chunk in done for outcome in chunk]
        results = [result(item.id, i, outcomes[i], call.request_id) for i, item in enumerate(items)]
        failed = sum(isinstance(outcome, LookbookError) for outcome in outcomes)
        return pb.ClassifyBatchResponse(
            request_id=call.request_id,
            results=results,
            succeeded=len(items) - failed,
            failed=failed,
            total_ms=milliseconds(time.perf_counter() - started),
        )

    async def classify_stream(self, items: AsyncIterator[StreamItem]) -> AsyncIterator[pb.ClassifyResult]:
        """A result for each picture, in order, while the next ones are worked on.

        Args:
            items: the pictures; read only as fast as places come free.
        """
        window: asyncio.Queue[asyncio.Task[pb.ClassifyResult] | None] = asyncio.Queue(
            self._settings.stream_window_images
        )
        reader = asyncio.create_task(self._read_stream(items, window))
        try:
            while task := await window.get():
                yield await task
            await reader
        finally:
            reader.cancel()
            while not window.empty():
                if task := window.get_nowait():
                    task.cancel()

    async def explain(self, image: bytes, options: pb.ExplainOptions, call: Call) -> pb.ExplainResponse:
        """Which parts of a picture a label rests on.

        Raises:
            LookbookError: there is no explanation.
        """
        candidate = self._releases.pick()
        question = Question.of(options, candidate.release)
        inspected = await self._pictures.inspect(image)
        await self._rates.admit(call.caller, question.cells + 1, call.deadline)
        # What is explained is the picture as the models get it: it is small, and no stranger's file any more.
        picture = await self._pictures.prepare(inspected, candidate.release.sizes, call)
        seen = await self._pictures.inspect(picture.bytes_for(candidate.release.sizes[0]))
        assert isinstance(seen, Inspected)
        try:
            return await self._explainer.explain(seen, question, candidate, call)
        except VersionGone:
            other = await self._instead_of(candidate, call)
            return await self._explainer.explain(seen, Question.of(options, other.release), other, call)

    async def find_similar(self, image: bytes, options: pb.SimilarOptions, call: Call) -> pb.FindSimilarResponse:
        """The known products that look most like a picture.

        Raises:
            LookbookError: there are none to be had.
        """
        similar.check(options)
        similar.require_index(self._releases.pick().release)
        self._limiter.check(1, call.caller)
        inspected = await self._pictures.inspect(image)
        await self._rates.admit(call.caller, 1, call.deadline)
        async with self._limiter.places(1, call.deadline, caller=call.caller, call=call):
            candidate = self._releases.pick()
            picture = await self._pictures.prepare(inspected, candidate.release.sizes, call)
            try:
                found = await self._similar.find(picture, options, candidate, call)
            except VersionGone:
                found = await self._similar.find(picture, options, await self._instead_of(candidate, call), call)
        if options.thumbnails:
            await self._similar.picture(found, call)
        return found

    async def place(self, image: bytes, candidate: Candidate, call: Call) -> Placed | None:
        """Where a picture lies among those that a release, which has a memory, knows; None where it cannot read it.

        Raises:
            LookbookError: the picture is refused, or the model does not answer.
        """
        release, scorer = candidate.release, self._scorers[names.ARTICLE_TYPE]
        card = release.cards[names.ARTICLE_TYPE]
        picture = await self._pictures.prepare(await self._pictures.inspect(image), release.sizes, call)
        request = ScoresRequest([picture.bytes_for(Size.of(card))], release.version, card, placed=True)
        reply = await scorer.scores(request, call.deadline.remaining_s)
        return reply.placed[0] if reply.image_ok[0] else None

    async def _read_stream(
        self, items: AsyncIterator[StreamItem], window: "asyncio.Queue[asyncio.Task[pb.ClassifyResult] | None]"
    ) -> None:
        index = 0
        try:
            async for item in items:
                task = asyncio.create_task(self._classify_item(item, index))
                task.add_done_callback(item.answered)
                await window.put(task)
                index += 1
        finally:
            await window.put(None)

    async def _classify_item(self, one: StreamItem, index: int) -> pb.ClassifyResult:
        (outcome,) = await self._classify([one.item], one.call, is_patient=True)
        return result(one.item.id, index, outcome, one.call.request_id)

    async def _classify(self, items: Sequence[Item], call: Call, *, is_patient: bool = False) -> list[Outcome]:
        """Pictures that go to the models together."""
        started = time.perf_counter()
        inspected: list[Inspected | Unread | LookbookError] = []
        try:
            if not is_patient:
                self._limiter.check(len(items), call.caller)  # before there is any work with them
            inspected = [item.error or await self._inspect(item) for item in items]
            given = [item.name.strip() for item in items]
            outcomes = await self._work(inspected, given, call, started, is_patient)
        except LookbookError as error:
            error.alone()
            outcomes = [one if isinstance(one, LookbookError) else error for one in inspected] or [error] * len(items)
        # In the loop's next round: the caller need not wait for a line in the log.
        asyncio.get_running_loop().call_soon(self._report, outcomes, [item.image for item in items], call)
        return outcomes

    async def _inspect(self, item: Item) -> Inspected | Unread | LookbookError:
        try:
            require_short(item.name)
            return await self._pictures.inspect(item.image)
        except LookbookError as error:
            return error.alone()

    async def _work(
        self,
        inspected: Sequence[Inspected | Unread | LookbookError],
        given: Sequence[str],
        call: Call,
        started: float,
        is_patient: bool,
    ) -> list[Outcome]:
        count = sum(not isinstance(one, LookbookError) for one in inspected)
        await self._rates.admit(call.caller, count, call.deadline, is_patient=is_patient)
        places = self._limiter.places(count, call.deadline, caller=call.caller, call=call, is_patient=is_patient)
        async with places as queue_s:
            candidate = self._releases.pick()
            prepared = await self._pictures.prepare_all(inspected, candidate.release.sizes, call)
            prepared = [
                replace(one, name=name) if name and isinstance(one, Picture) else one
                for one, name in zip(prepared, given, strict=True)
            ]
            pictures = [one for one in prepared if isinstance(one, Picture)]
            candidate, replies = await self._ask(candidate, pictures, call)
        self._telemetry.seen.add(candidate.release, list(replies.scores.values()))
        rows = iter(range(len(pictures)))

        def finish(one: Picture | LookbookError) -> Outcome:
            if isinstance(one, LookbookError):
                return one
            row = next(rows)
            name = hearing(replies.heard(row), candidate.release.version) if one.name else None
            about = row, one, call, started, queue_s, name, self._said(candidate, replies.placed(row))
            return answer(candidate.merger, replies.scores, replies.missing, *about)

        return [finish(one) for one in prepared]

    def _said(self, candidate: Candidate, placed: Placed | None) -> Say | None:
        overlay = self._overlays.of(candidate.release)
        return overlay.say(placed) if overlay and placed else None

    async def _ask(self, candidate: Candidate, pictures: Sequence[Picture], call: Call) -> tuple[Candidate, Replies]:
        """Both models' replies, and the release that they are of: another one if the first is gone meanwhile."""
        if not pictures:
            return candidate, Replies({}, {})
        try:
            return candidate, await self._ask_release(candidate, pictures, call)
        except VersionGone:
            other = await self._instead_of(candidate, call)
            return other, await self._ask_release(other, pictures, call)

    async def _ask_release(self, candidate: Candidate, pictures: Sequence[Picture], call: Call) -> Replies:
        remaining_s = call.deadline.remaining_s
        timeout_s = remaining_s - min(self._settings.reserve_ms / 1000, LARGEST_RESERVE * remaining_s)
        release, partial = candidate.release, call.allow_partial
        placed = self._overlays.of(release) is not None
        return await ask_models(self._scorers, release, pictures, timeout_s, allow_partial=partial, placed=placed)

    async def _instead_of(self, candidate: Candidate, call: Call) -> Candidate:
        try:
            return await asyncio.wait_for(self._releases.instead_of(candidate), call.deadline.remaining_s)
        except asyncio.TimeoutError as error:
            raise DeadlineExceeded("No time was left to look for another release.") from error

    def _report(self, outcomes: Sequence[Outcome], data: Sequence[bytes], call: Call) -> None:
        for outcome, image in zip(outcomes, data, strict=True):
            if isinstance(outcome, LookbookError):
                self._telemetry.refused(outcome.code, call.request_id, outcome.detail)
                continue
            self._telemetry.answered(outcome)
            if self._desk and outcome.review.needed:
                self._desk.offer(image, outcome, call.caller)
