"""Rendered manifests, and the questions that tests ask of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Document: TypeAlias = dict[str, Any]

SECRET: Final = "secret:"
"""What stands in :meth:`Manifests.settings` for a value out of a Secret, before its name and key."""


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes these labels; the empty one takes all, None takes nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels", {})
    return wanted.items() <= labels.items() and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions", [])
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]


@dataclass(frozen=True)
class Workload:
    """A Deployment, Job or CronJob.

    Args:
        document: the whole of it.
        template: its pod template.
    """

    document: Document
    template: Document

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def kind(self) -> str:
        return str(self.document["kind"])

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its pods."""
        return dict(self.template["metadata"]["labels"])

    @property
    def spec(self) -> Document:
        """Of its pods."""
        return dict(self.template["spec"])

    @property
    def containers(self) -> list[Document]:
        """All of them, init containers first."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def main(self) -> Document:
        """The first container."""
        return dict(self.spec["containers"][0])

    def ports(self) -> dict[str, int]:
        """Name → number, over all containers."""
        return {port["name"]: port["containerPort"] for c in self.containers for port in c.get("ports", [])}

    def volume(self, name: str) -> Document:
        """The pod's volume of that name."""
        return next(volume for volume in self.spec["volumes"] if volume["name"] == name)


class Manifests:
    """The documents of one rendering."""

    def __init__(self, documents: list[Document]) -> None:
        self.documents = documents

    def of_kind(self, *kinds: str) -> list[Document]:
        """All documents of these kinds."""
        return [document for document in self.documents if document["kind"] in kinds]

    def get(self, kind: str, name: str) -> Document:
        """The document of that kind and name; a generated name may be given without its hash."""
        found = [d for d in self.of_kind(kind) if _is_named(d["metadata"]["name"], name)]
        assert len(found) == 1, f"{len(found)} documents {kind}/{name}"
        return found[0]

    def workloads(self) -> Iterator[Workload]:
        """Everything that makes pods."""
        for document in self.documents:
            if document["kind"] in ("Deployment", "Job"):
                yield Workload(document, document["spec"]["template"])
            elif document["kind"] == "CronJob":
                yield Workload(document, document["spec"]["jobTemplate"]["spec"]["template"])

    def workload(self, name: str) -> Workload:
        """The one of that name."""
        return next(workload for workload in self.workloads() if workload.name == name)

    def selected(self, service: Document) -> list[Workload]:
        """The workloads whose pods a Service takes."""
        selector = {"matchLabels": service["spec"]["selector"]}
        return [workload for workload in self.workloads() if matches(selector, workload.labels)]

    def monitored(self) -> dict[str, Document]:
        """Monitor → its one endpoint, of Services and of pods."""
        kinds = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}
        found = {m["metadata"]["name"]: m["spec"][kinds[m["kind"]]] for m in self.of_kind(*kinds)}
        assert all(len(endpoints) == 1 for endpoints in found.values())
        return {name: endpoints[0] for name, endpoints in found.items()}

    def settings(self, workload: Workload) -> dict[str, str]:
        """The environment of its first container, ConfigMaps included; of what a Secret holds, that it does."""
        environment: dict[str, str] = {}
        for source in workload.main.get("envFrom", []):
            environment |= self.get("ConfigMap", source["configMapRef"]["name"])["data"]
        return environment | {entry["name"]: _value(entry) for entry in workload.main.get("env", [])}


def _value(entry: Document) -> str:
    if "value" in entry:
        return str(entry["value"])
    secret = entry["valueFrom"]["secretKeyRef"]
    return f"{SECRET}{secret['name']}/{secret['key']}"


def _is_named(full: str, name: str) -> bool:
    stem, _, suffix = full.rpartition("-")
    return full == name or (stem == name and len(suffix) == 10 and suffix.isalnum())
