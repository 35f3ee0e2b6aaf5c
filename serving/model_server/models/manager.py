"""Which versions of which models are served: watches the disk, loads the new before it drops the old."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from grpc import StatusCode
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.model_server.config import NO_PLATFORM, aspired_versions, model_configs, platform
from serving.model_server.errors import ServingError, invalid_argument
from serving.model_server.models.batching import Turns
from serving.model_server.models.saved_model import LoadOptions
from serving.model_server.models.versions import State, Version, is_version

LOOK_AGAIN_SECONDS: Final = 0.05
"""Between two looks whether a version that failed to load is due again, while somebody waits for it."""

logger = logging.getLogger(__name__)

Versions = dict[int, Version]


class ManagerOptions(NamedTuple):
    """How versions are loaded."""

    load: LoadOptions
    warmup_iterations: int
    max_load_retries: int
    load_retry_seconds: float
    labels_for_unavailable: bool


class ModelManager:
    """The models of one configuration and their versions. Any thread may ask; changes come one at a time."""

    def __init__(self, options: ManagerOptions, turns: Turns, on_change: Callable[[], None]) -> None:
        """``on_change`` is called whenever a version begins or ceases to serve."""
        self._options = options
        self._turns = turns
        self._on_change = on_change
        self._configs: dict[str, Any] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._models: dict[str, Versions] = {}
        self._changing = threading.Lock()
        self._closing = threading.Event()
        self._is_poisoned = False
        """Whether no config is taken any more."""
        self._unloading: list[threading.Thread] = []

    # Answers

    def versions(self, model: str) -> Mapping[int, Version]:
        """All versions of ``model`` that were ever seen, by number; empty if the model isn't known."""
        return self._models.get(model, {})

    def is_ready(self) -> bool:
        """Whether every configured model has a version that serves."""
        return bool(self._configs) and all(self._latest(model) for model in self._configs)

    def resolve_version(self, spec: Any) -> int | None:
        """The version that a ModelSpec names by number or label; None if it leaves the choice.

        Raises:
            ServingError: INVALID_ARGUMENT, no name or no such label.
        """
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        choice = spec.WhichOneof("version_choice")
        if choice == "version":
            return int(spec.version.value)
        if choice is None:
            return None
        labels = self._labels.get(spec.name, {})
        if spec.version_label not in labels:
            raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
        return labels[spec.version_label]

    @contextmanager
    def use(self, spec: Any) -> Iterator[Version]:
        """The version that answers a request for a ModelSpec, kept loaded: the named one, else the newest that serves.

        Raises:
            ServingError: NOT_FOUND, it doesn't serve; INVALID_ARGUMENT as in ``resolve_version``.
        """
        version = self._acquire(spec)
        try:
            yield version
        finally:
            version.release()

    def _acquire(self, spec: Any) -> Version:
        number = self.resolve_version(spec)
        if number is not None:
            named = self.versions(spec.name).get(number)
            if named and named.acquire():
                return named
            raise _not_found(f"Specific({spec.name}, {number})")
        while latest := self._latest(spec.name):
            if latest.acquire():  # else it has been taken out of service just now, and the next newest is the latest
                return latest
        raise _not_found(f"Latest({spec.name})")

    def _latest(self, model: str) -> Version | None:
        versions = list(self.versions(model).values())  # a copy: the dict may grow meanwhile
        serving = [version for version in versions if version.state is State.AVAILABLE]
        return max(serving, key=lambda version: version.number, default=None)

    # Changes

    def reload(self, config: ModelServerConfig) -> None:
        """Serve what ``config`` lists and nothing else; returns when its new models serve.

        As in TensorFlow Serving, a running server that was given an entry without a platform takes no config any more
        until it is started anew; what it serves it serves on.

        Raises:
            ServingError: the config is wrong (nothing else has changed then), or a new model does not come up.
        """
        with self._changing:
            configs = model_configs(config)
            self._is_poisoned |= any(not platform(entry) for entry in configs.values())
            if self._is_poisoned:
                raise invalid_argument(NO_PLATFORM)
            labels = {model: dict(entry.version_labels) for model, entry in configs.items()}
            self._check_labels(labels)
            self._check_new_base_paths(configs)
            new_models = configs.keys() - self._configs.keys()
            self._configs, self._labels = configs, labels
            self._poll()
            while self._are_coming_up(new_models) and not self._closing.wait(LOOK_AGAIN_SECONDS):
                self._poll()
            self._check_came_up(new_models)

    def _check_new_base_paths(self, configs: Mapping[str, Any]) -> None:
        """TensorFlow Serving would wait for the folder with its answer, and look for no version of any model."""
        for name, config in configs.items():
            if name not in self._configs and not Path(config.base_path).is_dir():
                raise ServingError(StatusCode.NOT_FOUND, _no_base_path(name, config.base_path))

    def _check_labels(self, labels: Mapping[str, Mapping[str, int]]) -> None:
        for model, versions in labels.items():
            for label, number in versions.items():
                version = self.versions(model).get(number)
                is_available = version is not None and version.state is State.AVAILABLE
                is_move = self._labels.get(model, {}).get(label, number) != number
                if not is_available and (is_move or not self._options.labels_for_unavailable):
                    raise ServingError(
                        StatusCode.FAILED_PRECONDITION,
                        f"Request to assign label to version {number} of model {model}, "
                        "which is not currently available for inference",
                    )

    def _are_coming_up(self, models: set[str]) -> bool:
        """Whether one of ``models`` doesn't serve yet, but has a version that may be loaded once more."""
        waiting = [self.versions(model).values() for model in models if not self._latest(model)]
        return any(version.state in (State.START, State.LOADING) for versions in waiting for version in versions)

    def _check_came_up(self, models: set[str]) -> None:
        failed = [model for model in sorted(models) if not self._latest(model)]
        if failed:
            reasons = "".join(_why(model, self.versions(model)) for model in failed)
            message = f"{len(failed)} servable(s) did not become available: {{{reasons}}}"
            raise ServingError(StatusCode.UNKNOWN, message)

    def stop_waiting(self) -> None:
        """Let :meth:`reload` wait for no retry any more."""
        self._closing.set()

    def poll(self) -> None:
        """Look at the disk once; load what is new there, retry what failed, drop what is gone. Blocks while loading."""
        with self._changing:
            self._poll()

    def _poll(self) -> None:
        """As in TensorFlow Serving, one base path that can't be read stops the looking for versions of every model."""
        try:
            found = {model: self._scan(model, config) for model, config in self._configs.items()}
        except OSError as error:
            logger.error("FileSystemStoragePathSource encountered a filesystem access error: %s", error)
            return
        for model in [*found, *(self._models.keys() - self._configs.keys())]:
            self._bring_about(model, found.get(model, {}))

    def _scan(self, model: str, config: Any) -> dict[int, Path]:
        """The aspired versions of ``model`` and their folders.

        Raises:
            OSError: its base path can't be read.
        """
        base_path = Path(config.base_path)
        if not base_path.is_dir():
            raise FileNotFoundError(_no_base_path(model, config.base_path))
        folders = {int(entry.name): entry for entry in base_path.iterdir() if is_version(entry.name)}
        aspired = aspired_versions(folders, config.model_version_policy)
        return {number: folders[number] for number in sorted(aspired)}

    def _bring_about(self, model: str, aspired: dict[int, Path]) -> None:
        versions = self._models.setdefault(model, {})
        for number, path in aspired.items():
            version = versions.get(number)
            if version is None or (version.state is State.END and not version.is_aspired):
                version = versions[number] = Version(model, number, path)
            if version.is_due():
                self._load(version)
        for number, version in versions.items():
            # One that came back while it was unloading is loaded anew by a later poll.
            version.is_aspired = number in aspired and version.state is not State.UNLOADING
        self._drop_unaspired(list(versions.values()))

    def _load(self, version: Version) -> None:
        name = f"{version.model} version {version.number}"
        logger.info("Loading %s from %s", name, version.path)
        version.load(self._options.load, self._options.warmup_iterations, self._turns)
        if version.state is State.AVAILABLE:
            logger.info("Serving %s", name)
            self._on_change()
            return
        is_last = version.failures > self._options.max_load_retries
        logger.error("Can't serve %s%s: %s", name, "" if is_last else ", will retry", version.error)
        if is_last:
            version.give_up()
        else:
            version.retry_in(self._options.load_retry_seconds)

    def _drop_unaspired(self, versions: list[Version]) -> None:
        aspired = [version for version in versions if version.is_aspired]
        if aspired and not any(version.state is State.AVAILABLE for version in aspired):
            return  # the old must serve on until a new one does
        for version in versions:
            if not version.is_aspired and version.state is State.AVAILABLE:
                self._retire(version)
            elif not version.is_aspired and version.state in (State.START, State.LOADING):
                version.give_up()

    def _retire(self, version: Version) -> None:
        logger.info("Unloading %s version %d", version.model, version.number)
        version.start_unloading()
        self._on_change()
        thread = threading.Thread(target=version.unload, name="unload")  # it may have to wait for long requests
        thread.start()
        self._unloading = [*(other for other in self._unloading if other.is_alive()), thread]

    def close(self) -> None:
        """Unload everything, once the requests under way are over."""
        with self._changing:
            for versions in self._models.values():
                for version in versions.values():
                    if version.state is State.AVAILABLE:
                        self._retire(version)
        for thread in self._unloading:
            thread.join()


def _not_found(wanted: str) -> ServingError:
    return ServingError(StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")


def _no_base_path(model: str, base_path: str) -> str:
    return f"Could not find base path {base_path} for servable {model}"


def _why(model: str, versions: Mapping[int, Version]) -> str:
    errors = [
        f"{{{{name: {model} version: {number}}} due to error: {version.error}}}, "
        for number, version in versions.items()
        if version.error
    ]
    return "".join(errors) or f"{{{{name: {model}}} due to error: no version was found}}, "
