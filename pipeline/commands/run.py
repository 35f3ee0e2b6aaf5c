"""``lookbook run``: from a catalogue to a release."""

import datetime
import json
import logging
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.splits import SplitBy
from components.errors import GateError, WeightsError
from components.storage.errors import StorageError
from components.storage.location import Location
from components.training import worker
from pipeline.commands.common import (
    FiniteRange,
    attributes_option,
    data_option,
    engine_options,
    limit_option,
    mapping_option,
    max_bad_option,
    print_json,
    refusing,
    root_option,
    shown_figure,
    trial_mark,
    trial_option,
    wrong_use,
)
from pipeline.commands.prune import keep_version_option, prune
from pipeline.config import CURATED_SCHEMA, Layout, PipelineConfig
from pipeline.correcting.merging import keeps_corrections
from pipeline.errors import RunError
from pipeline.profiles import PROFILES, hyperparameters
from pipeline.running.beam_arguments import require_beam_arguments
from pipeline.running.console import quiet_console
from pipeline.running.early_checks import (
    fitted,
    require_plain_paths,
    require_schema,
    require_usable_root,
    untold_in_words,
)
from pipeline.running.lock import locked
from pipeline.sources import bring_in, place, require_few_rejected
from schema.corrections import CorrectionsError
from schema.release_folder import CORRECTIONS_PAGE, LEAST_KEPT, ReleaseError, ReleaseFolder

if TYPE_CHECKING:
    from pipeline.running.run import RunResult

_ROOM_BYTES = 2**20


@click.command("run")
@data_option
@mapping_option
@root_option
@click.option("--profile", type=click.Choice(list(PROFILES)), default="standard", show_default=True)
@max_bad_option
@click.option(
    "--schema",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=CURATED_SCHEMA,
    help="TFMD schema that the data must meet; default: the one Lookbook comes with.",
)
@click.option(
    "--max-p50-ms",
    "most_p50_ms",
    type=FiniteRange(min=0, min_open=True),
    default=500.0,
    show_default=True,
    help="Gate on the median time of one served picture.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a hyper-parameter of the profile; repeatable."
)
@click.option(
    "--split-by",
    type=click.Choice([by.value for by in SplitBy]),
    default=SplitBy.GROUP.value,
    show_default=True,
    help="What keeps rows together: products of one name or look; nothing; or the year, newest for the test. "
    "A split column has precedence.",
)
@attributes_option
@limit_option
@click.option(
    "--thumbnails/--no-thumbnails",
    default=True,
    show_default=True,
    help="Keep small pictures of the catalogue in the release, to show beside products that look alike.",
)
@trial_option
@click.option("--ask", type=click.IntRange(min=0), default=0, help="Then ask the release about so many pictures.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole of these answers, for machines.")
@click.option(
    "--keep",
    type=click.IntRange(min=LEAST_KEPT),
    help="Then remove all but so many of the newest releases; see `lookbook prune --help`.",
)
@keep_version_option
@engine_options
@refusing(RunError, CatalogueError, CorrectionsError, ReleaseError)
def command(
    layout: Layout,
    data: Location,
    mapping_file: Path | None,
    profile: str,
    settings: tuple[str, ...],
    ask: int,
    as_json: bool,
    keep: int | None,
    also: tuple[int, ...],
    **limits: Any,
) -> None:
    """Train on a catalogue and release both models.

    \b
    Examples:
      lookbook run --data build/sample --profile quick
      lookbook run --data catalogue.zip                       an hour for 40,000 pictures
      lookbook run --data catalogue.zip --limit 2000          a first look
      lookbook run --data few.zip --trial                     too few rows to mean anything, and it says so
      lookbook run --data catalogue.zip --attributes gender,baseColour
      lookbook run --data catalogue.zip --set loss=crossentropy --set augmentation.mixup=0.4
      lookbook run --data catalogue.zip --runner flink --workers external:localhost:50000
      lookbook run --data export.xlsx --mapping mapping.toml  through an import below the root, see lookbook import

    Steps whose input, code and settings did not change are not run again. A run that was killed goes on where it was.
    Where TF_CONFIG names several workers they share the trainings: the same command for each, and the same --root.
    """
    # Before TensorFlow is imported, which takes oneDNN by itself on few processors: epochs are a fifth shorter with it.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with wrong_use():
        if worker.index():
            click.echo(f"worker {worker.index()} of {worker.workers()}: waiting for trainings below {layout.root}")
            worker.serve(layout.artifacts)
    if also and keep is None:
        raise click.UsageError(f"--keep-version is {also[0]}, which keeps nothing without --keep")
    found = place(layout, data, mapping_file)
    with wrong_use():
        parameters = hyperparameters(profile, settings, limits["attributes"])
        config = PipelineConfig(layout, found.catalogue, profile, parameters, **limits)
        require_plain_paths(config)
        require_schema(config.schema)
        require_beam_arguments(config.all_beam_args if config.beam_args else ())
        config.engine.require_within_reach("--data", config.data)
        if not found.is_foreign:
            config = fitted(config)
    found.require_root_elsewhere()
    with locked(layout):
        require_usable_root(layout)
        if found.is_foreign:
            require_few_rejected(bring_in(found), config.max_bad)
            with wrong_use():
                config = fitted(config)
        keeps_corrections(open_catalogue(config.data))  # a list that cannot be read is told now, and not after hours
        config.engine.require_reachable()
        if remark := config.engine.remark():
            click.echo(remark, err=True)
        result = _run(config)
        _say_result(layout, result)
        if result.release:
            _say_corrections(config, result.version)
        if keep is not None:
            prune(layout, keep, also)
    if ask:
        _ask(config, ask, as_json)


def _run(config: PipelineConfig) -> "RunResult":
    started = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    log = config.layout.logs / f"run-{started}.log"
    click.echo(f"Lookbook: {config.data} → {config.layout.releases}, profile {config.profile}; full log in {log}")
    if untold := untold_in_words(config):
        click.echo(untold)
    with quiet_console(log) as say:
        try:
            # Here, since importing TFX is what makes noise first.
            from pipeline.running.run import run_pipeline

            result = run_pipeline(config, say)
            log.with_suffix(".json").write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
            return result
        except RunError:
            raise
        except Exception as error:
            logging.getLogger(__name__).exception("the run failed")
            raise RunError(f"{_in_words(error, config.layout)}\nThe full log is in {log}") from error


def _say_corrections(config: PipelineConfig, version: int) -> None:
    from pipeline.correcting.checking import check_release

    folder = ReleaseFolder(config.layout.releases)
    try:
        catalogue = open_catalogue(config.data)
        if keeps_corrections(catalogue):
            check = check_release(folder, version, catalogue)
            click.echo(f"  corrections      {check.in_words()}")
            click.echo(f"                   {folder.report_path(check.release) / CORRECTIONS_PAGE}")
    except (RunError, CatalogueError, CorrectionsError, ReleaseError, StorageError, OSError) as error:
        # The release is made, whatever became of this.
        click.echo(f"  corrections      not checked: {error}; see `lookbook corrections check --help`", err=True)


def _in_words(error: Exception, layout: Layout) -> str:
    # Reasons are written for a person; whatever else went wrong at least gets its type told.
    if isinstance(error, (GateError, CatalogueError, WeightsError, ReleaseError, StorageError)):
        return str(error)
    free = shutil.disk_usage(layout.root).free
    # Each library has its own error for a full disk, and TensorFlow's says so in its middle.
    if "No space left on device" in str(error) or free < _ROOM_BYTES:
        return (
            f"the disk of {layout.root} is full ({free / 2**20:.0f} MiB free): free some space, or name another "
            "--root, and run again; finished steps are kept"
        )
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _say_result(layout: Layout, result: "RunResult") -> None:
    cached, release = sum(step.cached for step in result.steps), result.release
    click.echo(
        f"{trial_mark(release.manifest) if release else ''}{_whose(result)} after {result.seconds:.0f} s; {cached} of "
        f"{len(result.steps)} steps had nothing to do."
    )
    if release:
        for head, figures in release.manifest["metrics"].items():
            shown = ", ".join(f"{name} {shown_figure(figures[name])}" for name in ("top_1", "top_5", "macro_f1", "ece"))
            click.echo(f"  {head:<16} {shown}  on {figures['count']} test pictures")
        click.echo(f"  models           {layout.releases}/<model>/{release.version}")
    click.echo(f"  report           {layout.releases}/reports/{result.version}/index.html")
    click.echo(
        f"  serve            make serve    or: python -m serving.stack --release {shlex.quote(str(layout.releases))}"
    )


def _whose(result: "RunResult") -> str:
    """What is current, and why it is not what this run would have made."""
    version, current = result.version, result.current.version
    if version == current:
        return f"Release {version} is current"
    if result.release:
        way = "`lookbook rollback` goes back, a release at a time"
    else:
        taken = "a rollback withdrew" if result.withdrawn else "a prune removed"
        way = f"{taken} release {version}, and `--set seed=…` trains anew"
    return f"This is release {version} of an earlier run, and release {current} is current ({way})"


def _ask(config: PipelineConfig, count: int, as_json: bool) -> None:
    from pipeline.asking import as_table, classify, connected, unseen_pictures

    log = config.layout.logs / "ask.log"
    with quiet_console(log):
        pictures = unseen_pictures(config.layout, config.data, count)
        with connected(config.layout, server=None) as client:
            answers = classify(client, pictures)
    click.echo("Asked about pictures that training has not seen, the served release answers:")
    if as_json:
        print_json(answers)
    else:
        click.echo(as_table(answers))
