"""The merger's side of the store: answers go in behind the callers' backs, and nothing of it holds up the event loop.

What needs review waits in memory, within bounds, until it is written; a store that is away is tried again and again.
Classifying goes on all the while.
"""

import asyncio
import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge

from serving.merger.core.errors import NotFound, ReviewConflict, ReviewUnavailable
from serving.merger.review.errors import Conflict, Missing, StoreError
from serving.merger.review.records import Kept, Limits, Offered
from serving.merger.settings import Settings
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb

if TYPE_CHECKING:
    from serving.merger.review.store import ReviewStore

log = logging.getLogger(__name__)

Result = TypeVar("Result")

MOST_WAITING: Final = 256
MOST_WAITING_BYTES: Final = 32 * 2**20
"""What waits to be written: more is lost, and counted."""
WRITTEN_AT_ONCE: Final = 16
THREADS: Final = 4
RETRY_S: Final = 1.0
CHECK_S: Final = 10.0
SWEEP_S: Final = 3600.0
PATIENCE_S: Final = 15.0
"""Longest wait for one piece of work; the store gives up sooner by itself, unless its machine hangs."""
CLOSE_S: Final = 5.0
DAY_S: Final = 86_400


class _Waiting(NamedTuple):
    picture: bytes
    answer: pb.ClassifyResponse
    caller: str
    at: float


class ReviewMetrics:
    """Metrics of one desk, in the merger's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "lookbook_review_answers",
            "Answers that need review: new, repeated (a card that was there), lost or too_large.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("new", "repeated", "lost", "too_large"):
            self.answers.labels(outcome)  # told from the start, at 0, or no rate would see the first of them
        self.dropped = Counter(
            "lookbook_review_dropped", "Undecided cards that made room for newer ones.", registry=registry
        )
        self.removed = Counter(
            "lookbook_review_removed", "Cards that went because nobody touched them for long.", registry=registry
        )
        self.decisions = Counter(
            "lookbook_review_decisions", "Decisions kept by this merger, undone among them.", ["decision"],
            registry=registry,
        )  # fmt: skip
        self.up = Gauge("lookbook_review_store_up", "1 while the review store answers, else 0.", registry=registry)
        self.waiting = Gauge("lookbook_review_waiting", "Answers that wait to be written.", registry=registry)
        self.open = Gauge("lookbook_review_open", "Undecided cards, as last counted.", registry=registry)


class Desk:
    """Takes answers to be reviewed, and does what reviewers ask.

    Args:
        settings: where the store is, and its bounds.
        registry: for its metrics.

    Raises:
        SettingsError: no store is named.
    """

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        from serving.merger.review.store import ReviewStore  # brings the database's libraries

        self._store = ReviewStore(settings.review_store)
        self._limits = Limits(settings.review_max_images, settings.review_max_bytes)
        self._keep_s = settings.review_keep_days * DAY_S
        self._threads = ThreadPoolExecutor(THREADS, "review")
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._filled = asyncio.Event()
        self._is_open = False
        self._sweep_at = 0.0
        self.metrics = ReviewMetrics(registry)
        self.metrics.waiting.set_function(lambda: len(self._waiting))
        self.trouble = "The review store is being opened."
        """Why nothing can be kept or decided; empty when it can."""

    def offer(self, picture: bytes, answer: pb.ClassifyResponse, caller: str) -> None:
        """Takes an answer, to be kept soon; never waits.

        Args:
            picture: as it was sent.
            answer: whose review is needed.
            caller: name of the API key, or the address.
        """
        if len(picture) > self._limits.size_bytes:
            self._lose("too_large", answer.request_id, "the picture is larger than LOOKBOOK_REVIEW_MAX_BYTES")
        elif len(self._waiting) >= MOST_WAITING or self._waiting_bytes + len(picture) > MOST_WAITING_BYTES:
            self._lose("lost", answer.request_id, self.trouble or "more came than the review store could write")
        else:
            self._waiting.append(_Waiting(picture, answer, caller, time.time()))
            self._waiting_bytes += len(picture)
            self._filled.set()

    async def ask(self, work: "Callable[[ReviewStore], Result]") -> Result:
        """What ``work`` with the store gives, in a thread.

        Raises:
            ReviewUnavailable: the store does not do it.
            ReviewConflict: somebody else came before.
            NotFound: there is no such card or decision.
        """
        if not self._is_open:
            raise ReviewUnavailable(self.trouble, retry_after_s=RETRY_S)
        try:
            return await self._answering(work)
        except Missing as error:
            raise NotFound(str(error)) from error
        except Conflict as error:
            raise ReviewConflict(str(error)) from error
        except StoreError as error:
            raise ReviewUnavailable(self._down(error), retry_after_s=RETRY_S) from error

    async def look(self, work: "Callable[[ReviewStore], Result]") -> Result:
        """What ``work``, which writes nothing, gives; that it can be read does not say that the store is well.

        Raises:
            ReviewUnavailable: the store does not do it.
        """
        if not self._is_open:
            raise ReviewUnavailable(self.trouble, retry_after_s=RETRY_S)
        try:
            return await self._in_thread(work)
        except StoreError as error:
            raise ReviewUnavailable(f"The review store does not do it: {error}.", retry_after_s=RETRY_S) from error

    async def run(self) -> None:
        """Opens the store, removes what is old, writes what waits; until cancelled."""
        while True:
            await self._work()
            await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Writes what still waits, for a while, and lets go of the store. ``run`` must have been cancelled."""
        try:
            if self._is_open and self._waiting:
                await asyncio.wait_for(self._write_all(), CLOSE_S)
        except (StoreError, asyncio.TimeoutError) as error:
            self._down(error)
        for one in self._waiting:
            self._lose("lost", one.answer.request_id, self.trouble or "the merger ended")
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._is_open:
            self._store.close()

    async def _work(self) -> None:
        """Works until something is wrong."""
        try:
            while True:
                await self._open()
                await self._sweep()
                await self._write()
        except StoreError as error:
            self._down(error)
        except Exception:  # a bug must not end the keeping of what comes later
            log.exception("a bug in the review store")

    async def _open(self) -> None:
        if not self._is_open:
            await self._answering(lambda store: store.open())
            self._is_open = True
            log.info("the review store is open")

    async def _write(self) -> None:
        """Writes what comes; looks after the store when nothing does."""
        try:
            await asyncio.wait_for(self._filled.wait(), CHECK_S)
        except asyncio.TimeoutError:
            counts = await self._answering(lambda store: store.count())
            self.metrics.open.set(counts.open)
        await self._write_all()

    async def _write_all(self) -> None:
        while self._waiting:
            batch = [self._waiting[number] for number in range(min(WRITTEN_AT_ONCE, len(self._waiting)))]
            try:
                kept = await self._answering(partial(_keep, batch, self._limits))
            except StoreError:
                raise  # it waits on
            except Exception:
                log.exception("a bug in the review store")
                for one in batch:
                    self._lose("lost", one.answer.request_id, "a bug, as the line before says")
            else:
                self._count(kept)
            for one in batch:
                self._waiting.popleft()
                self._waiting_bytes -= len(one.picture)
        self._filled.clear()

    async def _sweep(self) -> None:
        if not self._keep_s or time.monotonic() < self._sweep_at:
            return
        while gone := await self._answering(lambda store: store.remove_older_than(self._keep_s)):
            self.metrics.removed.inc(gone)
            log.info("cards that nobody touched for long were removed", extra={"cards": gone})
        self._sweep_at = time.monotonic() + SWEEP_S

    async def _in_thread(self, work: "Callable[[ReviewStore], Result]") -> Result:
        working = asyncio.get_running_loop().run_in_executor(self._threads, work, self._store)
        try:
            return await asyncio.wait_for(working, PATIENCE_S)
        except asyncio.TimeoutError:
            raise StoreError(
                f"it did not answer within {PATIENCE_S:g} s, and whether it did what it was asked to is not known"
            ) from None

    async def _answering(self, work: "Callable[[ReviewStore], Result]") -> Result:
        """The same, and notes that the store is there."""
        done = await self._in_thread(work)
        if self.trouble:
            log.info("the review store answers")
        self.trouble = ""
        self.metrics.up.set(1)
        return done

    def _count(self, kept: Kept) -> None:
        self.metrics.answers.labels("new").inc(kept.new)
        self.metrics.answers.labels("repeated").inc(kept.repeated)
        if kept.dropped:
            self.metrics.dropped.inc(kept.dropped)
            log.warning("undecided cards made room for newer ones", extra={"cards": kept.dropped})

    def _down(self, error: Exception) -> str:
        """Notes that the store is away; gives the words for it."""
        words = f"The review store does not do it: {error}."
        if words != self.trouble:
            log.error("the review store is away", extra={"reason": str(error)})
        self.trouble = words
        self.metrics.up.set(0)
        return words

    def _lose(self, outcome: str, request_id: str, reason: str) -> None:
        self.metrics.answers.labels(outcome).inc()
        log.warning("an answer was not kept for review", extra={"request_id": request_id, "reason": reason})


def _keep(batch: list[_Waiting], limits: Limits, store: "ReviewStore") -> Kept:
    return store.keep([_offered(one) for one in batch], limits)


def _offered(one: _Waiting) -> Offered:
    answer: dict[str, Any] = as_json(one.answer)
    return Offered(one.picture, hashlib.sha256(one.picture).hexdigest(), answer, one.caller, one.at)
