"""``lookbook releases``: what was released, how good it is, which one is current; copies of it elsewhere."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.storage.errors import StorageError
from components.storage.location import location
from components.storage.uri import is_uri
from pipeline.commands.common import (
    FiniteRange,
    json_option,
    print_json,
    refusing,
    root_option,
    shown_figure,
    trial_mark,
)
from pipeline.commands.paths import PathToWrite
from pipeline.commands.prune import keep_version_option
from pipeline.config import Layout
from pipeline.errors import RunError
from schema.release_folder import Release, ReleaseError, ReleaseFolder

if TYPE_CHECKING:
    from components.release.remote import RemoteReleases


@click.group("releases", invoke_without_command=True)
@root_option
@json_option
@click.pass_context
@refusing(ReleaseError)
def command(context: click.Context, layout: Layout, as_json: bool) -> None:
    """List the releases with their figures on the test split; the current one is marked.

    \b
    Examples:
      lookbook releases
      lookbook releases --json | jq '.releases[-1].metrics'
      lookbook releases show 3
      lookbook releases push s3://bucket/lookbook/release
      lookbook releases pull s3://bucket/lookbook/release
    """
    if context.invoked_subcommand is None:
        _list(layout, as_json)
        return
    source = context.get_parameter_source("root")
    if as_json or source == click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError(f"give the options after the word {context.invoked_subcommand}")


def _list(layout: Layout, as_json: bool) -> None:
    store = ReleaseFolder(layout.releases)
    releases, current = store.releases(), store.current()
    if as_json:
        print_json(
            {
                "current": current.version if current else None,
                "releases": [release.manifest for release in releases],
                "withdrawn": store.withdrawn(),
                "unfinished": [{"version": one.version, "detail": one.words} for one in store.unfinished()],
            }
        )
        return
    if not releases:
        click.echo(f"No release in {layout.releases} yet; make one with: lookbook run --data PATH")
    for release in releases:
        mark = "*" if release == current else " "
        figures = ", ".join(
            f"{head} {shown_figure(values.get('top_1'))}"
            for head, values in release.manifest.get("metrics", {}).items()
        )
        said = f"{trial_mark(release.manifest)}top-1: {figures}"
        click.echo(f"{mark} {release.version:>3}  {release.manifest.get('created_at', '')}  {said}")
    for version in store.withdrawn():
        click.echo(f"  {version:>3}  withdrawn by a rollback")
    for one in store.unfinished():
        click.echo(f"  {one.version:>3}  not a release: {one.words}")


version_option = click.option("--version", "version", type=click.IntRange(min=1), help="Which one; default: newest.")


@command.command()
@click.argument("version", type=click.IntRange(min=1))
@click.option("--page", type=PathToWrite(dir_okay=False), help="Write the card as one HTML file.")
@root_option
@json_option
@refusing(RunError, ReleaseError)
def show(layout: Layout, version: int, page: Path | None, as_json: bool) -> None:
    """Tell about one release: what it learnt from, how good it is, its limits, what it is for.

    The same is in ROOT/release/reports/VERSION/card.html, on one page to print. Of a release that was made before there
    were cards, or was pulled without its report, what the manifest says is told.

    \b
    Examples:
      lookbook releases show 3
      lookbook releases show 3 --page card.html
      lookbook releases show 3 --json | jq .weakest
    """
    from components.html_page import write_html
    from components.release.card.facts import facts_of
    from components.release.card.page import card_lines, render_card

    folder = ReleaseFolder(layout.releases)
    known = {release.version: release for release in folder.releases()}
    if version not in known:
        raise RunError(f"{folder.directory} has no release {version}; it has: {', '.join(map(str, known)) or 'none'}")
    facts = facts_of(known[version].manifest, folder.report_path(version))
    if page:
        write_html(page, render_card(facts))
        click.echo(f"the card is in {page}", err=True)
    if as_json:
        print_json(facts.as_json())
    else:
        click.echo(trial_mark(known[version].manifest) + "\n".join(card_lines(facts)))


@command.command()
@click.argument("uri")
@version_option
@root_option
@refusing(RunError, ReleaseError)
def push(layout: Layout, uri: str, version: int | None) -> None:
    """Copy a release to URI, its manifest last; go on with a push that was interrupted.

    URI is a folder of releases: s3://bucket/lookbook/release, gs://…, az://…, hdfs://…, or ROOT/release of this
    machine. Credentials are given as boto, gcsfs and adlfs take them. A release is there once its manifest
    is; what an interrupted push leaves is none. Another release of the same number is never replaced.

    \b
    Example:
      lookbook releases push gs://bucket/lookbook/release
    """
    place = location(uri)
    if isinstance(place, Path):
        _push_to_folder(layout, place.resolve(), version)
        return
    remote = _remote(uri)
    folder = ReleaseFolder(layout.releases)
    release = _chosen(folder, version)
    pushed = remote.push(folder, release)
    click.echo(
        f"Release {release.version} is in {remote.store.uri}: {pushed.copied} files copied, "
        f"{pushed.size_bytes / 2**20:.1f} MiB; {pushed.kept} were there."
    )


@command.command()
@click.argument("uri")
@version_option
@root_option
@refusing(RunError, ReleaseError)
def pull(layout: Layout, uri: str, version: int | None) -> None:
    """Copy a release from URI, each file of both models held to its SHA-256 in the manifest.

    URI is as for push, and also http:// and https:// of a server that lists folders. The release keeps its number, and
    is current if that is the newest. It appears whole or not at all.

    \b
    Example:
      lookbook releases pull s3://bucket/lookbook/release --version 7
    """
    from components.release.copying import pull as pull_release
    from components.release.store import ReleaseStore
    from pipeline.running.lock import locked

    remote = _remote(uri)
    with locked(layout):
        release, copied = pull_release(ReleaseStore(layout.releases), remote, version)
        current = ReleaseFolder(layout.releases).current()
    _say_pulled(release, copied, current)


@command.command()
@click.argument("uri")
@click.option("--every", type=FiniteRange(min=1), default=15, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="End when all that is wanted is here; look again until then.")
@keep_version_option
@root_option
@refusing(RunError)
def mirror(layout: Layout, uri: str, every: float, once: bool, also: tuple[int, ...]) -> None:
    """Keep the two newest releases of URI below the root, for model servers; what URI has no more goes.

    The root belongs to the mirror alone. While URI cannot be read, or a release in it is not whole, nothing goes.

    \b
    Example:
      lookbook releases mirror gs://bucket/lookbook/release --root /models
    """
    from components.release.copying import mirror as look
    from components.release.store import ReleaseStore
    from pipeline.running.lock import locked

    try:
        remote = _remote(uri)
    except StorageError as error:
        raise RunError(str(error)) from error
    with locked(layout):
        while True:
            try:
                came, gone = look(ReleaseStore(layout.releases), remote, also)
                for word, versions in (("is here", came), ("is gone", gone)):
                    for version in versions:
                        click.echo(f"Release {version} {word}.")
                if once:
                    return
            except (ReleaseError, StorageError, OSError) as error:
                click.echo(f"not all is here: {error}", err=True)
            time.sleep(every)


def _remote(uri: str) -> "RemoteReleases":
    from components.release.remote import RemoteReleases
    from components.storage.store import Store

    return RemoteReleases(Store(uri if is_uri(uri) else f"file://{Path(uri).resolve()}"))


def _chosen(folder: ReleaseFolder, version: int | None) -> Release:
    releases = folder.releases()
    if not releases:
        raise ReleaseError(f"there is no release in {folder.directory}; make one with: lookbook run --data PATH")
    for release in releases:
        if release.version == (version or releases[-1].version):
            return release
    there = ", ".join(str(release.version) for release in releases)
    raise ReleaseError(f"there is no release {version} in {folder.directory}; there are {there}")


def _push_to_folder(layout: Layout, folder: Path, version: int | None) -> None:
    """On this machine a rename makes the release, for whoever reads the folder, as a run does it."""
    from components.release.copying import pull as pull_release
    from components.release.store import ReleaseStore
    from pipeline.running.lock import locked

    target = Layout(folder.parent)
    if folder != target.releases:
        raise RunError(f"{folder} is no folder of releases of a root; those are called {target.releases.name}")
    release = _chosen(ReleaseFolder(layout.releases), version)
    with locked(target):
        release, copied = pull_release(ReleaseStore(folder), _remote(str(layout.releases)), release.version)
        current = ReleaseFolder(folder).current()
    _say_pulled(release, copied, current, str(folder))


def _say_pulled(release: Release, copied: bool, current: Release | None, place: str = "") -> None:
    where = f"in {place}" if place else "here"
    said = "whole" if copied else "already, and whole"
    rank = "it is current" if current == release else f"{current.version if current else 'none'} stays current"
    click.echo(f"{trial_mark(release.manifest)}Release {release.version} is {where} {said}; {rank}.")
