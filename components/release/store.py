"""The folder of releases: two models under one version, visible together or not at all.

::

    <directory>/article_type/<v>/      what TensorFlow Serving loads
    <directory>/category/<v>/
    <directory>/manifests/<v>.json     written last: a version without one is not a release
    <directory>/reports/<v>/           for people
    <directory>/withdrawn/<v>/         what a rollback took away
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schema import heads as table

_SAVED_MODEL = "saved_model.pb"
_VARIABLES = "variables/variables.index"


class ReleaseError(Exception):
    """A release cannot be made, found or rolled back."""


@dataclass(frozen=True)
class Release:
    """One release: its version and what its manifest says."""

    version: int
    manifest: dict[str, Any]


class ReleaseStore:
    """Reads and writes one folder of releases. One writer at a time: the caller holds the lock of the root."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._manifests = directory / "manifests"
        self._withdrawn = directory / "withdrawn"

    def releases(self) -> list[Release]:
        """All releases that can be served, oldest first.

        Raises:
            ReleaseError: a manifest cannot be read.
        """
        versions = sorted(int(path.stem) for path in self._manifests.glob("*.json") if path.stem.isdigit())
        return [Release(version, self._read(version)) for version in versions]

    def require_whole(self) -> None:
        """Sees to it that every release has what it takes to be served.

        Raises:
            ReleaseError: a manifest cannot be read, or a model of a release is not there or was copied by half.
        """
        for release in self.releases():
            for model in table.MODELS:
                path = self.model_path(model, release.version)
                if not (path / _SAVED_MODEL).is_file() or not (path / _VARIABLES).is_file():
                    raise ReleaseError(
                        f"release {release.version} is not whole: {path} lacks {_SAVED_MODEL} or {_VARIABLES}; copy "
                        f"it anew, or remove {self._manifest(release.version)} to give this release up"
                    )

    def current(self) -> Release | None:
        """The newest release, which servers answer with; None where there is none yet."""
        releases = self.releases()
        return releases[-1] if releases else None

    def withdrawn(self) -> list[int]:
        """Versions that a rollback took away, oldest first."""
        return sorted(int(path.name) for path in self._withdrawn.glob("*") if path.name.isdigit())

    def model_path(self, model: str, version: int) -> Path:
        """Where the SavedModel of ``model`` lies in that release."""
        return self.directory / model / str(version)

    def publish(
        self, models: dict[str, Path], extras: dict[str, Path], report: Path, manifest: dict[str, Any]
    ) -> Release:
        """Makes a release of both models.

        Args:
            models: model name → its SavedModel.
            extras: model name → folder whose files go into its ``assets.extra``.
            report: folder that goes into ``reports/<v>``.
            manifest: what to record; the version is added.

        Raises:
            ReleaseError: the folder cannot be written.
        """
        try:
            self._sweep()
            version = self._next_version()
            staged = {model: self._stage(model, path, extras[model], version) for model, path in models.items()}
            shutil.copytree(report, self.directory / "reports" / str(version), dirs_exist_ok=True)
            for model, path in staged.items():
                path.rename(self.model_path(model, version))
            self._commit(version, {"version": version, **manifest})
        except OSError as error:
            raise ReleaseError(f"cannot write a release to {self.directory}: {error}") from error
        return Release(version, self._read(version))

    def rollback(self) -> Release:
        """Withdraws the newest release and returns the one before, now current.

        Raises:
            ReleaseError: there is no release before the newest.
        """
        releases = self.releases()
        if len(releases) < 2:
            raise ReleaseError(f"{self.directory} holds {len(releases)} release(s); a rollback needs an earlier one")
        version = releases[-1].version
        target = self._withdrawn / str(version)
        target.mkdir(parents=True, exist_ok=True)
        # The manifest goes first: from then on the version is no release, whatever happens to the rest.
        self._manifest(version).rename(target / "manifest.json")
        for model in table.MODELS:
            self.model_path(model, version).rename(target / model)
        return releases[-2]

    def _read(self, version: int) -> dict[str, Any]:
        path = self._manifest(version)
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ReleaseError(
                f"{path} cannot be read ({error}); copy it anew, or remove it to give this release up"
            ) from error

    def _manifest(self, version: int) -> Path:
        return self._manifests / f"{version}.json"

    def _next_version(self) -> int:
        # A number is never used twice, not even that of a half-made or withdrawn release: a server may have seen it.
        seen = [release.version for release in self.releases()] + self.withdrawn() + self._swept_versions()
        return max(seen, default=0) + 1

    def _swept_versions(self) -> list[int]:
        return [int(path.name) for path in (self.directory / "reports").glob("*") if path.name.isdigit()]

    def _sweep(self) -> None:
        """Removes what a killed run left: staging folders, and versions without a manifest."""
        known = {release.version for release in self.releases()}
        for model in table.MODELS:
            for path in (self.directory / model).glob("*"):
                is_half = path.name.isdigit() and int(path.name) not in known
                if is_half:
                    # The report folder keeps the number from being used again.
                    (self.directory / "reports" / path.name).mkdir(parents=True, exist_ok=True)
                if is_half or path.name.startswith(".incoming-"):
                    shutil.rmtree(path)

    def _stage(self, model: str, source: Path, extra: Path, version: int) -> Path:
        staging = self.directory / model / f".incoming-{version}"
        staging.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, staging, ignore=shutil.ignore_patterns(_SAVED_MODEL))
        shutil.copytree(extra, staging / "assets.extra", dirs_exist_ok=True)
        # Last, so that a copy that stopped half-way is never taken for a model.
        shutil.copy2(source / _SAVED_MODEL, staging / _SAVED_MODEL)
        return staging

    def _commit(self, version: int, manifest: dict[str, Any]) -> None:
        self._manifests.mkdir(parents=True, exist_ok=True)
        temporary = self._manifests / f".{version}.json.incoming"
        temporary.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.replace(self._manifest(version))
