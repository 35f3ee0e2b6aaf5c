"""A folder of releases in a store, laid out as :mod:`schema.release_folder` tells, without what is withdrawn.

A store renames nothing, so the manifest makes the release: it is written last, in one piece. What a push left that was
interrupted has no manifest, and so nobody pulls it; the next push of that release goes on with it.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.storage.errors import Missing
from components.storage.store import Store
from schema import heads as table
from schema.release_folder import (
    ALWAYS_THERE,
    SAVED_MODEL,
    Release,
    ReleaseError,
    ReleaseFolder,
    files_below,
    parsed_manifest,
    sha256,
)

_MANIFESTS: Final = "manifests"
_REPORTS: Final = "reports"
_MANIFEST: Final = re.compile(r"([1-9][0-9]*)\.json")  # 007.json is nobody's, and would be looked for as 7.json
_IN_NO_NAME: Final = re.compile(r"[\\\0\ud800-\udfff]")
_NOT_TAKEN: Final = "%r of the report of release %s is not taken: it is no file, or has a name that leads elsewhere"
_log = logging.getLogger("lookbook.release")


@dataclass(frozen=True)
class Pushed:
    """What a push did: objects that were copied, objects that were there already, and the bytes of the first."""

    copied: int
    kept: int
    size_bytes: int


class RemoteReleases:
    """The releases below a URI.

    Methods raise ``StorageError`` where the store cannot be read or written.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def versions(self) -> list[int]:
        """All that have a manifest, oldest first."""
        found = (_MANIFEST.fullmatch(name) for name in self.store.sizes(_MANIFESTS))
        return sorted(version for match in found if match and self._may_be_whole(version := int(match[1])))

    def _may_be_whole(self, version: int) -> bool:
        # A folder of this machine has its manifests first, and a rename makes the release.
        return self.store.scheme != "file" or ReleaseFolder(Path(self.store.root)).is_release(version)

    def manifest(self, version: int) -> str:
        """The text of a manifest, held to be one.

        Raises:
            ReleaseError: there is none, or it is none.
        """
        name = _manifest_name(version)
        try:
            text = self.store.read(name).decode("utf-8")
            _require_manifest(parsed_manifest(text, version), version)
        except Missing as error:
            raise ReleaseError(f"there is no release {version} in {self.store.uri}; {self._there()}") from error
        except ValueError as error:
            raise ReleaseError(f"{self.store.uri}/{name} is no manifest of release {version}: {error}") from error
        return text

    def fetch(self, manifest: str, version: int, model: str, folder: Path) -> None:
        """Copies one model into a new folder, each file held to its hash in the manifest.

        Raises:
            ReleaseError: a file is missing or is not what the manifest says.
        """
        folder.mkdir()
        for name, digest in json.loads(manifest)["models"][model]["files"].items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            at = f"{model}/{version}/{name}"
            try:
                found = _write(file, self.store.chunks(at))
            except Missing as error:
                raise ReleaseError(f"release {version} is not whole: {error}; push it again") from error
            if found != digest:
                raise ReleaseError(
                    f"release {version} is not what its manifest says: {self.store.uri}/{at} has another SHA-256; "
                    "push it again"
                )

    def fetch_report(self, version: int, folder: Path) -> None:
        """Copies the report for people, for which no hashes are known, into a new folder; there may be none."""
        at = f"{_REPORTS}/{version}"
        for name in self.store.sizes(at):
            # On this machine there may be a pipe, which would be waited for.
            is_file = self.store.scheme != "file" or Path(self.store.root, at, name).is_file()
            if not is_file or not _is_inside(name):
                _log.warning(_NOT_TAKEN, name, version)
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            _write(folder / name, self.store.chunks(f"{_REPORTS}/{version}/{name}"))

    def push(self, folder: ReleaseFolder, release: Release) -> Pushed:
        """Copies a release, its manifest last; goes on with a push that was interrupted.

        Raises:
            ReleaseError: the release is not whole, or another one has its number there.
        """
        folder.verify(release)
        manifest = folder.manifest_path(release.version).read_text(encoding="utf-8")
        _require_listed(release)
        is_there = self._has_manifest(manifest, release.version)
        places = [(model, folder.model_path(model, release.version)) for model in table.MODELS]
        done = [self._push_folder(f"{model}/{release.version}", path) for model, path in places]
        done.append(self._push_folder(f"{_REPORTS}/{release.version}", folder.report_path(release.version)))
        if not is_there:
            self.store.write(_manifest_name(release.version), manifest.encode("utf-8"))
        return Pushed(*(sum(getattr(one, part) for one in done) for part in ("copied", "kept", "size_bytes")))

    def _push_folder(self, at: str, folder: Path) -> Pushed:
        there, all_ours = self.store.sizes(at), list(files_below(folder))
        # All that a manifest lists is so; a report has no such list.
        ours = [name for name in all_ours if (folder / name).is_file() and _is_inside(name)]
        for name in set(all_ours) - set(ours):
            _log.warning(_NOT_TAKEN, name, folder.name)
        for name in there.keys() - set(ours):  # of another push, of another release that came to nothing
            self.store.remove(f"{at}/{name}")
        kept = [name for name in ours if self._is_same(folder / name, f"{at}/{name}", there.get(name))]
        copied = [name for name in ours if name not in kept]
        for name in copied:
            self.store.upload(folder / name, f"{at}/{name}")
        return Pushed(len(copied), len(kept), sum((folder / name).stat().st_size for name in copied))

    def _is_same(self, file: Path, at: str, size: int | None) -> bool:
        """Read back: stores differ in what they tell of a content, and half of one must not be kept."""
        return file.stat().st_size == size and sha256(file) == _digest(self.store.chunks(at))

    def _has_manifest(self, manifest: str, version: int) -> bool:
        try:
            there = self.store.read(_manifest_name(version)).decode("utf-8", "replace")
        except Missing:
            return False
        if there != manifest:
            raise ReleaseError(
                f"{self.store.uri} has another release {version}, with another manifest; it is left as it is. Push to "
                "another place: each root counts its own releases"
            )
        return True

    def _there(self) -> str:
        return f"there are {', '.join(map(str, self.versions())) or 'none'}"


def _manifest_name(version: int) -> str:
    return f"{_MANIFESTS}/{version}.json"


def _require_manifest(document: dict[str, Any], version: int) -> None:
    """Raises ValueError or ReleaseError where a manifest would not do, or would lead out of its folder.

    Whoever has taken a release by it could neither list nor serve what lies beside it.
    """
    if "version" not in document:
        raise ValueError("it says no version")
    _require_listed(Release(version, document))
    for model in table.MODELS:
        entry = document["models"][model]
        _require_inside(entry["files"])
        if lacking := [name for name in ALWAYS_THERE if name not in entry["files"]]:
            raise ValueError(f"it lists no {lacking[0]} of {model}, without which nobody can serve it")
        if entry.get("saved_model_sha256", entry["files"][SAVED_MODEL]) != entry["files"][SAVED_MODEL]:
            raise ValueError(f"it has two SHA-256 of {SAVED_MODEL} of {model}")


def _require_listed(release: Release) -> None:
    for model in table.MODELS:
        if not release.manifest.get("models", {}).get(model, {}).get("files"):
            raise ReleaseError(
                f"the manifest of release {release.version} lists no files of {model}, as those of version 0.1: nobody "
                "could verify a copy; make a new release"
            )


def _is_inside(name: str) -> bool:
    return not any(part in ("", ".", "..") for part in name.split("/")) and not _IN_NO_NAME.search(name)


def _require_inside(names: Iterable[str]) -> None:
    for name in names:
        if not _is_inside(name):
            raise ReleaseError(f"the file name {name!r} leads out of the release; nothing of it is taken")


def _write(file: Path, chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    with file.open("wb") as stream:
        for chunk in chunks:
            digest.update(chunk)
            stream.write(chunk)
    return digest.hexdigest()


def _digest(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
