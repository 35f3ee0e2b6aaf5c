"""``lookbook prune``: old releases make room."""

from typing import TYPE_CHECKING

import click

from pipeline.commands.common import refusing, root_option
from pipeline.config import Layout
from pipeline.errors import RunError
from schema.release_folder import LEAST_KEPT, ReleaseError

if TYPE_CHECKING:
    from components.release.store import Pruned

keep_version_option = click.option(
    "--keep-version",
    "also",
    type=click.IntRange(min=1),
    multiple=True,
    help="This one stays too, as when a model server's configuration names it; repeatable.",
)


@click.command("prune")
@root_option
@click.option("--keep", type=click.IntRange(min=LEAST_KEPT), required=True, help="So many of the newest stay.")
@keep_version_option
@refusing(RunError, ReleaseError)
def command(layout: Layout, keep: int, also: tuple[int, ...]) -> None:
    """Remove the models of old releases, and those that rollbacks withdrew before them.

    The current release stays, so does the one that a rollback goes to, and what model servers load by the configuration
    that comes with Lookbook. Whoever serves other versions names them by --keep-version.

    \b
    Example:
      lookbook prune --keep 5
    """
    from pipeline.running.lock import locked

    with locked(layout):
        prune(layout, keep, also)


def prune(layout: Layout, keep: int, also: tuple[int, ...]) -> None:
    """Prunes and says what is gone; the caller holds the lock of the root.

    Raises:
        ReleaseError: not all could be removed.
    """
    from components.release.store import ReleaseStore

    gone: list[int] = []

    def say(pruned: "Pruned") -> None:
        gone.append(pruned.version)
        click.echo(f"Release {pruned.version} is removed: {pruned.size_bytes / 2**20:.0f} MiB; its report stays.")

    ReleaseStore(layout.releases).prune(keep, also, say)
    if not gone:
        click.echo(f"No release is older than the newest {keep}; nothing is removed.")
