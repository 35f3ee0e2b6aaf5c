"""``lookbook drift``: do the pictures that are asked about still look like those of the release's eval?"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.common import FiniteRange, json_option, print_json, refusing
from pipeline.commands.paths import PathToWrite
from pipeline.errors import RunError

if TYPE_CHECKING:
    from pipeline.drifting.comparing import Finding
    from pipeline.drifting.seen import Seen

DEFAULT_SOURCE = "http://127.0.0.1:9091"
LISTED = 5


@click.command("drift")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--hours", type=click.IntRange(min=1), default=24, show_default=True, help="Newest hours to compare.")
@click.option("--release", type=click.IntRange(min=1), help="Version to look at; default: the one that answered last.")
@click.option(
    "--threshold",
    type=FiniteRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="Distance, 0 to 1, that is no drift however many pictures there are.",
)
@click.option("--save", type=PathToWrite(dir_okay=False), help="File to keep all counts in.")
@click.option("--report", type=PathToWrite(dir_okay=False), help="Page to write, with a picture a measure.")
@json_option
@refusing(RunError)
def command(
    sources: tuple[str, ...],
    hours: int,
    release: int | None,
    threshold: float,
    save: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Tell whether pictures look other than they did in the release's own eval.

    SOURCE is the address of a merger's admin port (default: http://127.0.0.1:9091), or a file that --save wrote.
    Several are added up; what two of them tell of the same hour of one merger counts once.

    Labels are compared by the largest difference of a share (L-infinity), confidence, familiarity, brightness and the
    embedding by Jensen-Shannon divergence; both by TensorFlow Data Validation. Drift is what is beyond the threshold
    and what chance may do with so many pictures, together, so that a few never raise an alarm.

    Exit code: 0 no drift, 1 drift, or nothing to compare.

    \b
    Examples:
      lookbook drift
      lookbook drift http://10.1.2.3:9091 http://10.1.2.4:9091 --hours 6 --report drift.html
      lookbook drift monday.json http://127.0.0.1:9091 --save tuesday.json
      lookbook drift --json | jq '.drifted'
    """
    from pipeline.drifting.seen import add_up, read_sources, require_counts

    document = read_sources(sources or (DEFAULT_SOURCE,))
    if save:
        require_counts(save)
        save.write_text(json.dumps(document) + "\n", encoding="utf-8")
    seen = add_up(document, hours, None if release is None else str(release))
    from pipeline.drifting.comparing import compare

    findings = compare(seen.measures, threshold)
    if not findings:
        raise RunError(
            f"nothing to compare: of release {seen.release} no measure has pictures both in eval and among the "
            f"{seen.pictures:,} that were seen; ask the merger some, or release one whose eval split has rows"
        )
    if report:
        from pipeline.drifting.page import write_page

        write_page(seen, findings, report)
    if as_json:
        print_json(_view(seen, findings, threshold))
    else:
        _print(seen, findings)
    sys.exit(any(one.has_drifted for one in findings))


def _view(seen: "Seen", findings: "list[Finding]", threshold: float) -> dict[str, Any]:
    return {
        "release": seen.release,
        "hours": seen.hours,
        "mergers": seen.mergers,
        "pictures": seen.pictures,
        "threshold": threshold,
        "drifted": [one.measure.name for one in findings if one.has_drifted],
        "measures": [_measure(one) for one in findings],
    }


def _measure(one: "Finding") -> dict[str, Any]:
    measure = one.measure
    name, expected, seen = one.most
    return {
        "measure": measure.name,
        "comparator": "l_infinity" if measure.is_label else "jensen_shannon_divergence",
        "distance": one.distance,
        "allowed": one.allowed,
        "noise": one.noise,
        "drifted": one.has_drifted,
        "nearer_than_eval": one.is_benign,
        "most": {"bin": name, "eval": expected, "seen": seen},
        "bins": [
            {"bin": name, "eval": expected, "seen": seen}
            for name, expected, seen in zip(measure.bins, measure.expected, measure.seen, strict=True)
        ],
    }


def _print(seen: "Seen", findings: "list[Finding]") -> None:
    drifted = [one for one in findings if one.has_drifted]
    click.echo(
        f"release {seen.release}: {seen.pictures:,} pictures, hours {seen.hours[0]} to {seen.hours[-1]}, mergers: "
        f"{seen.mergers}"
    )
    for one in drifted or findings[:LISTED]:
        name, expected, share = one.most
        word = "drifted" if one.has_drifted else "no drift"
        click.echo(
            f"  {word:<8}  {one.measure.name:<28} {one.distance:.2f} (allowed {one.allowed:.2f}); most in {name}: "
            f"{share:.0%}, in eval {expected:.0%}"
        )
    if drifted:
        click.echo(f"{len(drifted)} of {len(findings)} measures drifted")
    elif all(one.allowed >= 1 for one in findings):
        click.echo("too few pictures to tell anything")
    else:
        click.echo(f"no drift in {len(findings)} measures")
