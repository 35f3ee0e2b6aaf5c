"""Releases go from a store into a folder: one that is asked for, or always the newest."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Final

from components.release import durable
from components.release.remote import RemoteReleases
from components.release.store import ReleaseStore
from components.storage.errors import StorageError
from schema.release_folder import SERVED, Release, ReleaseError

_STAGED_REPORT: Final = ".incoming-report"


def pull(store: ReleaseStore, remote: RemoteReleases, version: int | None = None) -> tuple[Release, bool]:
    """Copies a release, by default the newest, with its report. The caller holds the lock of the root.

    Returns:
        The release, and whether it was copied: it may be here already.

    Raises:
        ReleaseError, StorageError: it cannot be had, is not what its manifest says, or has the number of another here.
    """
    wanted = _there(remote)[-1] if version is None else version
    release, copied = _receive(store, remote, wanted)
    report = store.directory / "reports" / str(wanted)
    if not report.is_dir() or not any(report.iterdir()):
        _bring_report(remote, wanted, report)
    return release, copied


def mirror(store: ReleaseStore, remote: RemoteReleases, also: Collection[int] = ()) -> tuple[list[int], list[int]]:
    """Makes a folder of models what the newest of a store are; model servers read it. It belongs to this alone.

    One that cannot be had stops no other, and then nothing is removed.

    Args:
        store: the folder.
        remote: where the releases are.
        also: versions that are wanted too, where the store has them.

    Returns:
        Versions that came, and versions that went since the store has them no more.

    Raises:
        ReleaseError, StorageError: not all could be had.
    """
    versions = _there(remote)
    wanted = sorted({*versions[-SERVED:], *(version for version in versions if version in also)})
    came: list[int] = []
    failed = None
    for version in wanted:
        try:
            if not store.is_release(version) and _receive(store, remote, version)[1]:
                came.append(version)
        except (ReleaseError, StorageError) as error:  # noqa: PERF203 - the others are to be had all the same
            failed = error
    if failed:
        raise failed
    gone = [release.version for release in store.releases() if release.version not in wanted]
    for version in gone:
        store.drop(version)
    return came, gone


def _there(remote: RemoteReleases) -> list[int]:
    versions = remote.versions()
    if not versions:
        raise ReleaseError(f"there is no release in {remote.store.uri}")
    return versions


def _receive(store: ReleaseStore, remote: RemoteReleases, version: int) -> tuple[Release, bool]:
    manifest = remote.manifest(version)
    if store.is_release(version):
        here = next(release for release in store.releases() if release.version == version)
        if here.manifest != json.loads(manifest):
            raise ReleaseError(f"{store.directory} has another release {version}; pull into another --root")
        store.verify(here)
        return here, False
    return store.receive(version, manifest, lambda model, at: remote.fetch(manifest, version, model, at)), True


def _bring_report(remote: RemoteReleases, version: int, report: Path) -> None:
    staged = report.with_name(f"{_STAGED_REPORT}-{version}")
    durable.make_folder(staged)
    remote.fetch_report(version, staged)
    durable.sync_tree(staged)
    durable.rename(staged, report)
