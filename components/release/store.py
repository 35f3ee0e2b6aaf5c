"""Makes and withdraws releases, in an order that no kill, full disk or power cut can break.

:mod:`schema.release_folder` tells what lies where and when a version is a release.

What a killed process leaves is cleared by the next that writes. A half-made release is taken back: nobody was
answered by it. A half-done rollback is finished: from its first rename on nobody is answered by that release.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.release import durable
from schema import heads as table
from schema.release_folder import (
    LEAST_KEPT,
    SAVED_MODEL,
    STAGING_PREFIX,
    Release,
    ReleaseError,
    ReleaseFolder,
    files_below,
    numbers,
    sha256,
)


@dataclass(frozen=True)
class Rollback:
    """What a rollback did.

    Args:
        withdrawn: version that was taken away.
        current: the release that servers answer with now.
        was_interrupted: an earlier rollback had begun it.
    """

    withdrawn: int
    current: Release
    was_interrupted: bool


@dataclass(frozen=True)
class Pruned:
    """What a prune removed: the models of a release, and the bytes that they had."""

    version: int
    size_bytes: int


class ReleaseStore(ReleaseFolder):
    """Writes one folder of releases. One writer at a time: the caller holds the lock of the root."""

    def publish(
        self,
        models: dict[str, Path],
        extras: dict[str, Path],
        report: Path,
        manifest: dict[str, Any],
        card: Callable[[dict[str, Any]], Mapping[str, str]] | None = None,
    ) -> Release:
        """Makes a release of both models.

        Args:
            models: model name → its SavedModel.
            extras: model name → folder whose files go into its ``assets.extra``.
            report: folder that goes into ``reports/<v>``.
            manifest: what to record; the version, and under ``models`` the size and the hashes of each, are added.
            card: makes of the whole manifest files that go beside the report: name → text.

        Raises:
            ReleaseError: the folder cannot be written.
        """
        version = 0
        try:
            self.recover()
            version = self._next_version()
            self._copy(report, self._reports / str(version))
            staged = {model: self._stage(model, models[model], extras[model], version) for model in table.MODELS}
            told = manifest.get("models", {})
            described = {model: {**told.get(model, {}), **_describe(path)} for model, path in staged.items()}
            document = {"version": version, **manifest, "models": described}
            for name, text in (card(document) if card else {}).items():
                durable.write(self.report_path(version) / name, text)
            self._make_visible(version, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            raise self._not_published(version, error) from error
        return Release(version, self._read(version))

    def receive(self, version: int, manifest: str, fetch: Callable[[str, Path], object]) -> Release:
        """Makes a release of one that was made elsewhere, under the number that it has there.

        Args:
            version: its number.
            manifest: the text of its manifest.
            fetch: puts the model of that name into that folder, which is not there yet, and answers for its content.

        Raises:
            ReleaseError: a rollback withdrew that version here, or the folder cannot be written.
        """
        if (self._withdrawn / str(version)).is_dir():
            raise ReleaseError(f"release {version} was withdrawn here by a rollback; it is not taken again")
        try:
            self.recover()
            if any(one.version == version for one in self.unfinished()):
                self.drop(version)  # half of it, which this copies anew
            for model in table.MODELS:
                staging = self._staging_path(model, version)
                durable.make_folder(staging.parent)
                fetch(model, staging)
                durable.sync_tree(staging)
                durable.sync(staging.parent)
            self._make_visible(version, manifest)
        except OSError as error:
            raise self._not_published(version, error) from error
        except BaseException:
            with contextlib.suppress(OSError):  # the next writer does it otherwise
                self._take_back_releases()
            raise
        return Release(version, self._read(version))

    def drop(self, version: int) -> None:
        """Removes the models of a release that another folder, of which this is a copy, has no more.

        Raises:
            OSError: the folder cannot be written.
        """
        self._hide(version)
        self._take_back_releases()

    def _make_visible(self, version: int, manifest: str) -> None:
        durable.write(self.manifest_path(version), manifest)
        for model in table.MODELS:
            durable.rename(self._staging_path(model, version), self.model_path(model, version))

    def rollback(self, announce: Callable[[Rollback], object] = lambda _: None) -> Release:
        """Withdraws the newest release and returns the one before, now current. Ends one that was interrupted, if any.

        Args:
            announce: is told when it is done, before it is forgotten. Whoever was not told may ask again: no second
                release is withdrawn for it.

        Raises:
            ReleaseError: there is no sound release to go back to, or the folder cannot be written.
        """
        try:
            begun = self._take_back_releases()
            rollback = self._plan(begun)
            self._move_models_away(rollback.withdrawn)
            announce(rollback)
            self._move_manifest_away(rollback.withdrawn)
        except OSError as error:
            raise ReleaseError(
                f"the rollback in {self.directory} is not finished ({error}); mend that, and run it again"
            ) from error
        return rollback.current

    def prune(
        self, keep: int, also: Collection[int] = (), announce: Callable[[Pruned], object] = lambda _: None
    ) -> None:
        """Removes the models of old releases, the oldest first, and what rollbacks took away before the oldest kept.

        Their reports stay. Killed at whatever moment, it has removed releases whole or not, and never one that is kept.

        Args:
            keep: so many of the newest releases stay, three at least.
            also: versions that stay too, such as those that a model server's configuration names.
            announce: is told of each that is gone.

        Raises:
            ReleaseError: ``keep`` is too small, a manifest cannot be read, or the folder cannot be written.
        """
        if keep < LEAST_KEPT:
            raise ReleaseError(f"{keep} releases are too few to keep; servers and rollbacks need {LEAST_KEPT}")
        try:
            self.recover()
            versions = [release.version for release in self.releases()]
            if len(versions) <= keep:
                return
            for version in (one for one in versions[:-keep] if one not in also):
                pruned = Pruned(version, sum(map(_size, (self.model_path(model, version) for model in table.MODELS))))
                self._hide(version)
                self._take_back_releases()
                announce(pruned)
            for version in (one for one in numbers(self._withdrawn) if one < versions[-keep] and one not in also):
                pruned = Pruned(version, _size(self._withdrawn / str(version)))
                shutil.rmtree(self._withdrawn / str(version))
                announce(pruned)
        except OSError as error:
            raise ReleaseError(
                f"not all old releases of {self.directory} are removed ({error}); mend that, and prune again"
            ) from error

    def recover(self) -> None:
        """Clears up what a killed process left; without that it changes nothing.

        Raises:
            OSError: the folder cannot be written.
        """
        for version in self._take_back_releases():
            self._move_models_away(version)
            self._move_manifest_away(version)

    def _plan(self, begun: list[int]) -> Rollback:
        releases = self.releases()
        if begun and releases:
            return Rollback(begun[-1], releases[-1], was_interrupted=True)
        if len(releases) < 2:
            raise ReleaseError(f"{self.directory} holds {len(releases)} release(s); a rollback needs an earlier one")
        self.verify(releases[-2])
        return Rollback(releases[-1].version, releases[-2], was_interrupted=False)

    def _move_models_away(self, version: int) -> None:
        target = self._withdrawn / str(version)
        durable.make_folder(target)
        for model in reversed(table.MODELS):
            if self.model_path(model, version).is_dir():
                durable.rename(self.model_path(model, version), target / model)

    def _move_manifest_away(self, version: int) -> None:
        # Last: until then the rollback counts as interrupted, and is not begun anew for another release. Not flushed: a
        # power cut that undoes it makes the next rollback finish this one, which is what whoever saw it end would want.
        if self.manifest_path(version).is_file():
            self.manifest_path(version).rename(self._withdrawn / str(version) / "manifest.json")

    def _take_back_releases(self) -> list[int]:
        """Removes half-made releases and leftovers; returns the versions whose rollback was interrupted."""
        unfinished = self.unfinished()
        for one in unfinished:
            if one.kind == "release":
                self._hide(one.version)
        for model in table.MODELS:
            for path in (self.directory / model).glob(f"{STAGING_PREFIX}*"):
                shutil.rmtree(path)
        for path in self._manifests.glob(f".*{durable.SUFFIX}"):
            durable.remove(path)
        return [one.version for one in unfinished if one.kind == "rollback"]

    def _hide(self, version: int) -> None:
        """Takes a release out of everybody's sight; its number stays used, for a server may have seen it."""
        durable.make_folder(self._reports / str(version))
        for model in table.MODELS:
            if self.model_path(model, version).is_dir():
                if self._staging_path(model, version).is_dir():  # another try at it, in the way
                    shutil.rmtree(self._staging_path(model, version))
                durable.rename(self.model_path(model, version), self._staging_path(model, version))
        # After the models, else they would be served without being listed.
        if self.manifest_path(version).is_file():
            durable.remove(self.manifest_path(version))

    def _next_version(self) -> int:
        """A number that was never used, not even by a half-made or withdrawn release."""
        places = (self._reports, self._withdrawn, *(self.directory / model for model in table.MODELS))
        return max([0, *self._listed(), *(version for place in places for version in numbers(place))]) + 1

    def _copy(self, source: Path, target: Path) -> None:
        durable.make_folder(target.parent)
        shutil.copytree(source, target)
        durable.sync_tree(target)
        durable.sync(target.parent)

    def _stage(self, model: str, source: Path, extra: Path, version: int) -> Path:
        staging = self._staging_path(model, version)
        durable.make_folder(staging.parent)
        shutil.copytree(source, staging)
        shutil.copytree(extra, staging / "assets.extra", dirs_exist_ok=True)
        durable.sync_tree(staging)
        durable.sync(staging.parent)
        return staging

    def _not_published(self, version: int, error: OSError) -> ReleaseError:
        if version and self.is_release(version):
            return ReleaseError(f"release {version} is current, but the disk did not confirm that it is kept: {error}")
        # Room on a full disk matters more than what clearing up may run into; the next writer does it otherwise.
        with contextlib.suppress(OSError):
            self._take_back_releases()
        return ReleaseError(f"cannot write a release to {self.directory}: {error}")


def _size(folder: Path) -> int:
    return sum((folder / name).lstat().st_size for name in files_below(folder))


def _describe(saved_model: Path) -> dict[str, Any]:
    files = {name: sha256(saved_model / name) for name in files_below(saved_model)}
    return {
        "saved_model_sha256": files[SAVED_MODEL],
        "bytes": sum((saved_model / name).stat().st_size for name in files),
        "files": files,
    }
