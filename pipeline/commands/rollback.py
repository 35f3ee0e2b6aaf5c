"""``lookbook rollback``: the release before the current one becomes current."""

import click

from pipeline.commands.common import refusing, root_option
from pipeline.config import Layout
from pipeline.errors import RunError


@click.command("rollback")
@root_option
@refusing(RunError, OSError)
def command(layout: Layout) -> None:
    """Withdraw the current release; servers fall back to the one before.

    The withdrawn models stay in release/withdrawn, and their version number is not used again.

    \b
    Example:
      lookbook rollback && lookbook releases
    """
    from components.release.store import ReleaseError, ReleaseStore
    from pipeline.running.lock import locked

    with locked(layout):
        try:
            release = ReleaseStore(layout.releases).rollback()
        except ReleaseError as error:
            raise RunError(str(error)) from error
    click.echo(f"Release {release.version} is current.")
