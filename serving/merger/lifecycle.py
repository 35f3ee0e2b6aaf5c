"""Whether this process wants calls: ready or not, and draining before it ends."""

from collections.abc import Callable
from typing import Any

from serving.merger import views
from serving.merger.learning.learner import Learner
from serving.merger.models.releases import Releases
from serving.merger.review.desk import Desk


class Lifecycle:
    """The readiness that both transports show.

    Args:
        releases: ready or not.
        desk: of what is to be reviewed; None where nothing is kept.
        learner: from decisions; None where nothing is learnt from them.
    """

    def __init__(self, releases: Releases, desk: Desk | None = None, learner: Learner | None = None) -> None:
        self._releases = releases
        self._desk = desk
        self._learner = learner
        self._listeners: list[Callable[[], None]] = []
        self.is_draining = False
        self.is_broken = False

    @property
    def is_serving(self) -> bool:
        """Whether calls are welcome."""
        return not (self.is_draining or self.is_broken) and self._releases.readiness != "not_ready"

    def is_model_serving(self, model: str) -> bool:
        """Whether ``model`` can be asked through this process."""
        return not (self.is_draining or self.is_broken) and not self._releases.trouble(model)

    def report(self) -> dict[str, Any]:
        """The JSON of ``/readyz``: a review store that is away is told, and keeps nobody from classifying."""
        report = views.readiness(self._releases, is_draining=self.is_draining)
        if self.is_broken:
            report["status"] = "not_ready"
        if self._desk:
            report["review"] = {"available": not self._desk.trouble, "message": self._desk.trouble}
        if self._learner:
            report["corrections"] = self._learner.report()
        return report

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls ``listener`` after each change."""
        self._listeners.append(listener)

    def changed(self) -> None:
        """Tells the listeners."""
        for listener in self._listeners:
            listener()

    def break_down(self) -> None:
        """From now on: neither ready nor alive, so that whoever watches starts it anew."""
        self.is_broken = True
        self.changed()

    def drain(self) -> None:
        """From now on: not ready."""
        self.is_draining = True
        self.changed()
