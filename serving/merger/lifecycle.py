"""Whether this process wants calls: ready or not, and draining before it ends."""

from collections.abc import Callable
from typing import Any

from serving.merger import views
from serving.merger.models.releases import Releases


class Lifecycle:
    """The readiness that both transports show.

    Args:
        releases: ready or not.
    """

    def __init__(self, releases: Releases) -> None:
        self._releases = releases
        self._listeners: list[Callable[[], None]] = []
        self.is_draining = False

    @property
    def is_serving(self) -> bool:
        """Whether calls are welcome."""
        return not self.is_draining and self._releases.readiness != "not_ready"

    def is_model_serving(self, model: str) -> bool:
        """Whether ``model`` can be asked through this process."""
        return not self.is_draining and not self._releases.trouble(model)

    def report(self) -> dict[str, Any]:
        """The JSON of ``/readyz``."""
        return views.readiness(self._releases, is_draining=self.is_draining)

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls ``listener`` after each change."""
        self._listeners.append(listener)

    def changed(self) -> None:
        """Tells the listeners."""
        for listener in self._listeners:
            listener()

    def drain(self) -> None:
        """From now on: not ready."""
        self.is_draining = True
        self.changed()
