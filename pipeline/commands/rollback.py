"""``lookbook rollback``: the release before the current one becomes current."""

from typing import TYPE_CHECKING

import click

from pipeline.commands.common import refusing, root_option
from pipeline.config import Layout
from pipeline.errors import RunError
from schema.release_folder import ReleaseError

if TYPE_CHECKING:
    from components.release.store import Rollback


@click.command("rollback")
@root_option
@refusing(RunError, ReleaseError)
def command(layout: Layout) -> None:
    """Withdraw the current release; servers fall back to the one before.

    The withdrawn models stay in release/withdrawn, and their version number is not used again. One that was interrupted
    is finished by the next, which then withdraws nothing more. The release to go back to is read whole before.

    \b
    Example:
      lookbook rollback && lookbook releases
    """
    from components.release.store import ReleaseStore
    from pipeline.running.lock import locked

    with locked(layout):
        ReleaseStore(layout.releases).rollback(_say)


def _say(rollback: "Rollback") -> None:
    if rollback.was_interrupted:
        click.echo(f"The rollback of release {rollback.withdrawn}, which was interrupted, is finished.")
    click.echo(f"Release {rollback.current.version} is current.")
