"""What is done to the pods under load, and how many calls that may cost."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol


class Pods(Protocol):
    """A cluster's pods by their Deployment: those of a real one, or processes."""

    async def restart(self, deployment: str) -> None:
        """Rolls the pods, and waits until the new ones are ready and the old ones gone."""

    async def kill(self, deployment: str) -> None:
        """Kills the container of one pod at once, as a node's end would, and waits until it is ready again."""

    async def scale(self, deployment: str, replicas: int) -> None:
        """Changes their number, and waits until all are ready."""


@dataclass(frozen=True)
class Scenario:
    """One thing that happens to a cluster.

    Attributes:
        name: in words, for the table.
        act: does it.
        most_lost: transport → calls that may be lost meanwhile.
    """

    name: str
    act: Callable[[Pods], Awaitable[None]]
    most_lost: dict[str, int]


NONE: Final = {"rest": 0, "grpc": 0}

SCENARIOS: Final = (
    Scenario("the mergers roll", lambda pods: pods.restart("merger"), NONE),
    Scenario("the model servers roll", lambda pods: pods.restart("model-server"), NONE),
    # Nobody hears of a killed merger before its connections break: REST callers without a retry lose what they sent it
    # until the Service drops it; ClassifierClient tries again.
    Scenario("a merger is killed", lambda pods: pods.kill("merger"), {"rest": 40, "grpc": 0}),
    Scenario("a model server is killed", lambda pods: pods.kill("model-server"), NONE),
    Scenario("model servers: 2 → 3", lambda pods: pods.scale("model-server", 3), NONE),
    Scenario("model servers: 3 → 2", lambda pods: pods.scale("model-server", 2), NONE),
)
