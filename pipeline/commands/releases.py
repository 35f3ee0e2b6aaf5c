"""``lookbook releases``: what was released, how good it is, which one is current."""

import click

from pipeline.commands.common import json_option, print_json, refusing, root_option, shown_figure, trial_mark
from pipeline.config import Layout
from schema.release_folder import ReleaseError, ReleaseFolder


@click.command("releases")
@root_option
@json_option
@refusing(ReleaseError)
def command(layout: Layout, as_json: bool) -> None:
    """List the releases with their figures on the test split; the current one is marked.

    \b
    Examples:
      lookbook releases
      lookbook releases --json | jq '.releases[-1].metrics'
    """
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
            f"{head} {shown_figure(values['top_1'])}" for head, values in release.manifest["metrics"].items()
        )
        said = f"{trial_mark(release.manifest)}top-1: {figures}"
        click.echo(f"{mark} {release.version:>3}  {release.manifest['created_at']}  {said}")
    for version in store.withdrawn():
        click.echo(f"  {version:>3}  withdrawn by a rollback")
    for one in store.unfinished():
        click.echo(f"  {one.version:>3}  not a release: {one.words}")
