"""The folder of releases, for whoever reads it.

::

    <directory>/article_type/<v>/      what model servers load: every folder whose name is a number
    <directory>/category/<v>/
    <directory>/manifests/<v>.json     figures, origin, and the SHA-256 of every file of both models
    <directory>/reports/<v>/           for people; made first and never removed, so it also keeps the number
    <directory>/withdrawn/<v>/         what a rollback took away, until a prune

**A version is a release when it has a manifest and both models' folders.** The manifest is there before the first
folder and stays until the last is gone. So one rename makes a release, the second model's into its place, and one
rename ends it, the first model's out of its place. Callers get the newest version that both models have: whenever a
process is killed or the disk is full, they and the manifests name the same release.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from schema import heads as table
from schema.file_names import require_plain
from schema.plain_json import parsed

SERVED: Final = 2
"""Model servers keep so many of the newest releases: see ``serving/tensorflow_serving/models.config``."""

CARD: Final = "card.html"
"""Of a report: the release on one page."""

README: Final = "README.md"
"""Of a report: the same, as Hugging Face's hub reads it."""

LABEL_AUDIT: Final = "label_audit.json"
"""Of a report: what an audit of the labels said of the release's own errors; there once somebody audited."""

CORRECTIONS_CHECK: Final = "corrections.json"
"""Of a report: what the release makes of the decisions that its catalogue keeps; there if it keeps some."""

CORRECTIONS_PAGE: Final = "corrections.html"
"""Of a report: the same with pictures."""

LEAST_KEPT: Final = SERVED + 1
"""No prune leaves fewer: servers load the current release and the one that a rollback goes to; one that has not
looked yet still has one more."""

STAGING_PREFIX: Final = ".incoming-"
SAVED_MODEL: Final = "saved_model.pb"
ALWAYS_THERE: Final = (SAVED_MODEL, "variables/variables.index")
"""Of a model that can be served, whatever else it has."""
_CHUNK_BYTES: Final = 2**20
_WORDS: Final = {
    "release": "it is being made or removed, or that was interrupted; the next run, rollback or prune clears it away",
    "rollback": "its rollback was interrupted; `lookbook rollback` finishes it",
}


class ReleaseError(Exception):
    """A release cannot be made, found, trusted or rolled back."""


@dataclass(frozen=True)
class Release:
    """One release: its version and what its manifest says."""

    version: int
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Unfinished:
    """A version that is no release.

    Args:
        version: its number.
        kind: what was interrupted: its making, its rollback, or a copy made by hand.
        words: the same for a person, with what to do.
    """

    version: int
    kind: Literal["release", "rollback", "copy"]
    words: str


class ReleaseFolder:
    """Reads one folder of releases; any number of processes may."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._manifests = directory / "manifests"
        self._reports = directory / "reports"
        self._withdrawn = directory / "withdrawn"

    def model_path(self, model: str, version: int) -> Path:
        """Where the SavedModel of ``model`` lies in that release."""
        return self.directory / model / str(version)

    def manifest_path(self, version: int) -> Path:
        """The file that tells of that release."""
        return self._manifests / f"{version}.json"

    def report_path(self, version: int) -> Path:
        """The folder of its report for people."""
        return self._reports / str(version)

    def is_release(self, version: int) -> bool:
        """Whether that version is a release."""
        return self.manifest_path(version).is_file() and not self._absent(version)

    def releases(self) -> list[Release]:
        """All releases, oldest first.

        Raises:
            ReleaseError: a manifest cannot be read.
        """
        return [Release(version, self._read(version)) for version in self._listed() if not self._absent(version)]

    def current(self) -> Release | None:
        """The newest release, which servers answer with; None where there is none yet."""
        releases = self.releases()
        return releases[-1] if releases else None

    def withdrawn(self) -> list[int]:
        """Versions that a rollback took away, oldest first."""
        return [version for version in numbers(self._withdrawn) if not self.is_release(version)]

    def unfinished(self) -> list[Unfinished]:
        """Versions that are no releases and still have a manifest or a model in its place, oldest first."""
        seen = {*self._listed(), *(version for model in table.MODELS for version in numbers(self.directory / model))}
        return [self._unfinished(version) for version in sorted(seen) if not self.is_release(version)]

    def require_whole(self) -> None:
        """Sees to it that every version with a manifest has what it takes to be served, but for the hashes.

        Raises:
            ReleaseError: a manifest cannot be read, or a model was copied by half.
        """
        for version in self.unfinished():
            if version.kind == "copy":
                raise ReleaseError(version.words)
        for release in self.releases():
            for model in table.MODELS:
                self._require_files(release, model, ALWAYS_THERE)

    def require_served(self) -> None:
        """Sees to it that model servers load releases and nothing else, and that those are what their manifests say.

        A folder without any manifests is TensorFlow Serving's own layout: there is nothing to hold it to.

        Raises:
            ReleaseError: they would not.
        """
        self.require_plain()
        if not self._manifests.is_dir():
            return
        self.require_whole()
        releases = self.releases()
        served = max(set.intersection(*(set(numbers(self.directory / model)) for model in table.MODELS)), default=0)
        if served > (releases[-1].version if releases else 0):
            raise ReleaseError(f"version {served} in {self.directory} is no release: {self._unfinished(served).words}")
        for release in releases[-SERVED:]:
            self.verify(release)

    def verify(self, release: Release) -> None:
        """Reads every file of a release and holds it to the manifest.

        Manifests of version 0.1 have the hash of the graphs alone.

        Raises:
            ReleaseError: a file was changed, is missing or does not belong to the release.
        """
        for model in table.MODELS:
            path = self.model_path(model, release.version)
            hashes, lists_all = _recorded_hashes(release.manifest, model)
            self._require_files(release, model, {*hashes, *ALWAYS_THERE} if not lists_all else hashes)
            for name in files_below(path):
                if name in hashes and sha256(path / name) != hashes[name]:
                    raise self._differs(release, path / name, "was changed since")
                if lists_all and name not in hashes:
                    raise self._differs(release, path / name, "does not belong to it")

    def require_plain(self) -> None:
        """Sees to it that TensorFlow can read from the folder at all.

        Raises:
            ReleaseError: it would take its path for a pattern.
        """
        try:
            require_plain(self.directory.resolve(), "folder of releases")
        except ValueError as error:
            raise ReleaseError(str(error)) from error

    def _require_files(self, release: Release, model: str, files: Any) -> None:
        path = self.model_path(model, release.version)
        for name in sorted(files):
            if not (path / name).is_file():
                raise ReleaseError(
                    f"release {release.version} is not whole: {path / name} is missing; {self._remedy(release.version)}"
                )

    def _differs(self, release: Release, file: Path, words: str) -> ReleaseError:
        return ReleaseError(
            f"release {release.version} is not what its manifest says: {file} {words}; {self._remedy(release.version)}"
        )

    def _remedy(self, version: int) -> str:
        parts = ", ".join(f"{part}/{version}" for part in table.MODELS)
        return f"copy it anew, or remove manifests/{version}.json, {parts} from {self.directory} to give it up"

    def _unfinished(self, version: int) -> Unfinished:
        absent = self._absent(version)
        if (self._withdrawn / str(version)).is_dir():
            return Unfinished(version, "rollback", _WORDS["rollback"])
        is_staged = any(self._staging_path(model, version).is_dir() for model in absent)
        if is_staged or not self.manifest_path(version).is_file():
            return Unfinished(version, "release", _WORDS["release"])
        missing = " and ".join(str(self.model_path(model, version)) for model in absent)
        words = f"release {version} is not whole: {missing} is missing; {self._remedy(version)}"
        return Unfinished(version, "copy", words)

    def _staging_path(self, model: str, version: int) -> Path:
        # Beside its place, for a rename; model servers see numbers alone.
        return self.directory / model / f"{STAGING_PREFIX}{version}"

    def _listed(self) -> list[int]:
        found = (path.stem for path in self._manifests.glob("*.json") if path.stem.isdecimal())
        return sorted(int(stem) for stem in found if stem == str(int(stem)))  # 007.json is nobody's

    def _absent(self, version: int) -> list[str]:
        return [model for model in table.MODELS if not self.model_path(model, version).is_dir()]

    def _read(self, version: int) -> dict[str, Any]:
        path = self.manifest_path(version)
        try:
            manifest = parsed_manifest(path.read_text(encoding="utf-8"), version)
        except (OSError, ValueError) as error:
            raise ReleaseError(f"{path} cannot be read ({error}); {self._remedy(version)}") from error
        return {"version": version, **manifest}


def parsed_manifest(text: str, version: int) -> dict[str, Any]:
    """What the text of a manifest says; its version may be missing.

    Raises:
        ValueError: it is none, or was edited into what nobody who reads it could go on with.
    """
    try:
        manifest = parsed(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep to be read") from error
    if not isinstance(manifest, dict):
        raise ValueError("it is no object")
    _require_shape(manifest, version)
    return manifest


def _require_shape(manifest: dict[str, Any], version: int) -> None:
    said = manifest.get("version", version)
    if said != version or type(said) is not int:  # True and 1.0 are equal to 1, and no number of a release
        raise ValueError(f"it says version {said!r}")
    for name, part, kinds in (("metrics", "top_1", (int, float)), ("models", "files", dict)):
        entries = manifest.get(name, {})
        if not isinstance(entries, dict) or not all(isinstance(one, dict) for one in entries.values()):
            raise ValueError(f"its {name} are no objects by name")
        for one in entries.values():
            if one.get(part) is not None and not isinstance(one[part], kinds):
                raise ValueError(f"in its {name} {part} is {one[part]!r:.60}")


def sha256(file: Path) -> str:
    """Hex digest of a file's content."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def files_below(folder: Path) -> Iterator[str]:
    """Relative paths of all that is below a folder and is no folder itself, with slashes, in order."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()


def _recorded_hashes(manifest: dict[str, Any], model: str) -> tuple[dict[str, str], bool]:
    """File → SHA-256 as the manifest has it, and whether these are all files."""
    models = manifest.get("models", {})
    entry = models.get(model, {}) if isinstance(models, dict) else {}
    files = entry.get("files")
    graph = {SAVED_MODEL: entry["saved_model_sha256"]} if "saved_model_sha256" in entry else {}
    return {**(files or {}), **graph}, files is not None


def numbers(folder: Path) -> list[int]:
    """The folders of a folder whose names are numbers, in order."""
    return sorted(int(path.name) for path in folder.glob("*") if path.name.isdecimal() and path.is_dir())
