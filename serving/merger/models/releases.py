"""Which release answers: the newest version that is AVAILABLE on both models, looked up again and again.

A release is taken into use only with both cards read and found to be a pair, so one that is broken or half pushed never
is. Both calls of an answer name its version; should a model no longer (or, on one of several replicas, not yet) have
it, :meth:`Releases.instead_of` looks again and gives the next best.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from schema import heads as table
from serving.merger.core.errors import LookbookError, NotReady, Overloaded, ReleaseError
from serving.merger.core.merge import Merger
from serving.merger.core.release import Release, make_release
from serving.merger.models.backend import ModelClient, VersionState
from serving.merger.settings import Settings

log = logging.getLogger(__name__)

IMPATIENT_S: Final = 0.1
"""Time between two looks while there is no release at all."""

RETRY_AFTER_S: Final = 2.0

LOST_AFTER_LOOKS: Final = 3
"""Looks in a row that must fail until a model counts as unreachable: one that is refused or slow is no news. Calls that
fail tell sooner, by the circuit breaker."""


@dataclass
class ModelState:
    """What is known of one model.

    Args:
        versions: newest first, as last heard.
        error: why it counts as unreachable; "" when it does not.
        cause: the same for the log, as gRPC says it.
        failed_looks: in a row.
    """

    versions: list[VersionState] = field(default_factory=list)
    error: str = "The model server has not been asked yet."
    cause: str = ""
    failed_looks: int = 0

    @property
    def available(self) -> set[int]:
        """Versions that can answer, as last heard."""
        return {version.version for version in self.versions if version.is_available}


@dataclass(frozen=True)
class Candidate:
    """A release that can answer, and the merger of its scores."""

    release: Release
    merger: Merger


class Releases:
    """Follows the model servers.

    Args:
        clients: by model.
        settings: intervals and deadlines.
        on_change: called without arguments after each look that changed something.
    """

    def __init__(
        self, clients: Mapping[str, ModelClient], settings: Settings, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self.states = {model: ModelState() for model in clients}
        self._clients = clients
        self._interval_s = settings.poll_interval_ms / 1000
        self._timeout_s = settings.poll_timeout_ms / 1000
        self._on_change = on_change
        self._candidates: list[Candidate] = []
        self._rejected: dict[int, str] = {}
        self._looking: asyncio.Task[None] | None = None
        self._was_ready = False

    @property
    def current(self) -> Candidate | None:
        """The release that answers; None when there is none."""
        return self._candidates[0] if self._candidates else None

    @property
    def readiness(self) -> str:
        """ready: both models can answer; degraded: they could, and now only one can; else not_ready."""
        troubles = [self.trouble(model) for model in self.states]
        if not any(troubles):
            return "ready"
        return "degraded" if self._was_ready and not all(troubles) else "not_ready"

    def trouble(self, model: str) -> str:
        """Why ``model`` cannot answer now; "" when it can."""
        state, current, wait_s = self.states[model], self.current, self._clients[model].breaker.wait_s
        if state.error:
            return state.error
        if wait_s:
            return f"The {model} model failed several times in a row and is left alone for {wait_s:.1f} s."
        if current is None:
            return self._why_none()
        return current.release.absent.get(model, "")

    def pick(self) -> Candidate:
        """The release for one answer.

        Raises:
            NotReady: there is none.
        """
        if self.current is None:
            raise NotReady(self._why_none(), retry_after_s=RETRY_AFTER_S)
        return self.current

    async def instead_of(self, gone: Candidate) -> Candidate:
        """The release for an answer after a model did not have the version of ``gone``.

        Raises:
            NotReady: there is none.
        """
        await self.look()
        others = (other for other in self._candidates if other.release.version != gone.release.version)
        return next(others, None) or self.pick()

    async def follow(self) -> None:
        """Looks until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # a bug must not end the following of what comes later
                log.exception("a bug in following the releases")
            await asyncio.sleep(self._interval_s if self.current else min(IMPATIENT_S, self._interval_s))

    async def look(self) -> None:
        """Asks the model servers once, from now on; callers that come meanwhile share the next look."""
        if self._looking and not self._looking.done():
            await asyncio.shield(self._looking)  # it began before this call and may have seen what was true before
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        before = self._summary()
        await asyncio.gather(*(self._ask(model) for model in self._clients))
        # A model server that was away, be it for one look, may have come back with other files under the same numbers.
        came_back = any(client.has_returned for client in self._clients.values())
        known = {} if came_back else {_key(candidate.release): candidate for candidate in self._candidates}
        wanted = self._wanted()
        self._rejected = {version: why for version, why in self._rejected.items() if version in wanted}
        loaded = [await self._load(version, models, known) for version, models in wanted.items()]
        self._candidates = [candidate for candidate in loaded if candidate]
        self._was_ready |= self.readiness == "ready"
        if self._summary() != before:
            causes = {model: state.cause for model, state in self.states.items() if state.cause}
            log.info("releases changed", extra=self._summary() | {"causes": causes})
            self._on_change()

    async def _ask(self, model: str) -> None:
        try:
            self.states[model] = ModelState(await self._clients[model].versions(self._timeout_s), "")
        except LookbookError as error:
            state = self.states[model]
            # One that has too much to do is there, and what was heard of it last still holds.
            state.failed_looks += not isinstance(error, Overloaded)
            if state.error or state.failed_looks >= LOST_AFTER_LOOKS:
                state.error = error.detail
                state.cause = str(getattr(error.__cause__, "details", lambda: "")())

    def _wanted(self) -> dict[int, tuple[str, ...]]:
        """Version → models to answer from, best first. Only when no version is on both may one model stand alone."""
        common = set.intersection(*(state.available for state in self.states.values()))
        if common:
            return dict.fromkeys(sorted(common, reverse=True), tuple(self._clients))
        alone = [(max(state.available), model) for model, state in self.states.items() if state.available]
        reachable = [(version, model) for version, model in alone if not self.states[model].error]
        return {version: (model,) for version, model in reachable[:1]}

    async def _load(
        self, version: int, models: tuple[str, ...], known: Mapping[tuple[int, tuple[str, ...]], Candidate]
    ) -> Candidate | None:
        if (version, models) in known:
            return known[version, models]
        try:
            found = await asyncio.gather(*(self._clients[model].card(version, self._timeout_s) for model in models))
            absent = {model: self._why_absent(model, version) for model in self._clients if model not in models}
            release = make_release(version, dict(zip(models, found, strict=True)), absent)
        except (ReleaseError, LookbookError) as error:
            self._reject(version, str(error))
            return None
        self._rejected.pop(version, None)
        return Candidate(release, Merger(release))

    def _reject(self, version: int, why: str) -> None:
        if self._rejected.get(version) != why:
            log.error("a release cannot be used", extra={"version": version, "reason": why})
        self._rejected[version] = why

    def _why_absent(self, model: str, version: int) -> str:
        return self.states[model].error or f"The {model} model has no version {version}."

    def _why_none(self) -> str:
        if self._rejected:
            return f"No release can be used: version {max(self._rejected)} was refused; the server's log says why."
        errors = [state.error for state in self.states.values() if state.error]
        return " ".join(errors) or "No version is available on both models."

    def _summary(self) -> dict[str, object]:
        return {
            "candidates": [candidate.release.version for candidate in self._candidates],
            "absent": [model for model in self.states if self.current and model in self.current.release.absent],
            "unreachable": [model for model, state in self.states.items() if state.error],
            "rejected": dict(self._rejected),
            "readiness": self.readiness,
            "states": {m: [(v.version, v.state) for v in state.versions] for m, state in self.states.items()},
        }


def _key(release: Release) -> tuple[int, tuple[str, ...]]:
    return release.version, tuple(model for model in table.MODELS if model in release.cards)
