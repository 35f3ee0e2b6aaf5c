"""Follows the decisions in the review store: the pictures that they are about join those that the release knows.

Each merger reads the store for itself. What it has learnt follows from the decisions that hold and from the release
alone, so several mergers come to the same. Embeddings are a release's own: another one gets them anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, Gauge

from serving.merger.core.calls import Call
from serving.merger.core.corrections import Learnt, Overlay, Overlays, Placed, labels_of
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import ImageError, LookbookError
from serving.merger.core.release import Release
from serving.merger.models.releases import Candidate, Releases
from serving.merger.review.desk import Desk
from serving.merger.settings import Settings

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""Time between two looks at the number of decisions."""

CALLER: Final = "corrections"
"""Who asks, in words for the log."""

Place = Callable[[bytes, Candidate, Call], Awaitable[Placed | None]]
"""Where a picture lies among those that a release knows; None where its model cannot read it."""


class _Decided(NamedTuple):
    sha256: str
    learnt: Learnt


class Learner:
    """Learns from decisions.

    Args:
        settings: how many pictures, and how long a model may take.
        desk: of the review store.
        releases: says which release answers.
        place: a picture among those that a release knows.
        overlays: gets what was learnt.
        registry: for its metrics.
    """

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        releases: Releases,
        place: Place,
        overlays: Overlays,
        registry: CollectorRegistry,
    ) -> None:
        self._most = settings.max_correction_images
        self._timeout_s = settings.request_timeout_ms / 1000
        self._desk, self._releases, self._place, self._overlays = desk, releases, place, overlays
        self._release: Release | None = None
        self._version = -1
        self._known: dict[int, _Decided | None] = {}
        """Version of a decision → what it taught; None where that is nothing."""
        self.trouble = "No decision has been read yet."
        """Why decisions do not count, or not the last ones; empty where all do."""
        images = Gauge("lookbook_correction_images", "Decided pictures that have a say in answers.", registry=registry)
        images.set_function(lambda: len(overlays.current or ()))
        version = Gauge(
            "lookbook_corrections_version",
            "The last decision that was read; as many in each merger.",
            registry=registry,
        )
        version.set_function(lambda: max(self._version, 0))

    def report(self) -> dict[str, Any]:
        """Its part of ``/readyz``."""
        images = len(self._overlays.current or ())
        return {
            "available": not self.trouble, "message": self.trouble, "version": max(self._version, 0), "images": images
        }  # fmt: skip

    async def run(self) -> None:
        """Learns until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        try:
            if current := self._releases.current:
                await self._follow(current)
        except LookbookError as error:
            self._tell(error.detail)
        except Exception:  # a bug must not end the learning from what comes later
            log.exception("a bug in learning from decisions")

    async def _follow(self, candidate: Candidate) -> None:
        if candidate.release is not self._release:
            self._begin(candidate.release)
        if not candidate.release.memory:
            self._tell(_why_not(candidate.release))
        elif self._version != await self._desk.look(lambda store: store.version()):
            await self._catch_up(candidate)
        else:
            self._tell("")

    def _begin(self, release: Release) -> None:
        # A model server that came back makes another object of the same release.
        if self._release is None or (self._release.version, self._release.cards) != (release.version, release.cards):
            self._known = {}
        self._release, self._version, self._overlays.current = release, -1, None

    async def _catch_up(self, candidate: Candidate) -> None:
        version, wanted = await self._desk.look(lambda store: store.newest(self._most))
        self._known = {one: self._known[one] for one in wanted if one in self._known}
        for one in wanted:
            if one not in self._known:
                self._known[one] = await self._learn(one, candidate)
        # Of two decisions about one picture the later one holds.
        newest = {one.sha256: one.learnt for _, one in sorted(self._known.items()) if one}
        self._overlays.current = Overlay(candidate.release, version, list(newest.values())) if newest else None
        self._version = version
        self._tell("")
        log.info("learnt from decisions", extra={"version": version, "images": len(newest)})

    async def _learn(self, version: int, candidate: Candidate) -> _Decided | None:
        found = await self._desk.look(lambda store: store.in_force(version - 1, 1))
        if not found or found[0].version != version:  # taken back meanwhile, and the next look sees that
            return None
        correction, picture = found[0].correction, found[0].picture
        labels = labels_of(correction, candidate.release)
        placed = await self._placed(picture, version, candidate) if labels else None
        return _Decided(correction.sha256, Learnt(placed.embedding, labels)) if placed else None

    async def _placed(self, picture: bytes, version: int, candidate: Candidate) -> Placed | None:
        try:
            return await self._place(picture, candidate, Call(CALLER, CALLER, Deadline(self._timeout_s)))
        except ImageError as error:
            log.warning("a decided picture cannot be read", extra={"version": version, "reason": error.detail})
            return None

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            log.warning("decisions do not count yet", extra={"reason": trouble})
        self.trouble = trouble


def _why_not(release: Release) -> str:
    return (
        f"Release {release.version} cannot learn at once: its article type model is away, was made before there was "
        "such a thing, or remembers no pictures. Decisions are kept, and count after a training with them."
    )
