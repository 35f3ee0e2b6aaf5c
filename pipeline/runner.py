"""The command line. Commands import what they need when they run, so that ``--help`` is quick."""

import importlib
import io
import os
import re
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from serving.local.signals import ended_by_signals
from serving.local.standard_streams import open_closed

_COMMANDS = {
    "run": "pipeline.commands.run",
    "data": "pipeline.commands.data",
    "import": "pipeline.commands.import_",
    "schema": "pipeline.commands.schema",
    "classify": "pipeline.commands.asking.classify",
    "explain": "pipeline.commands.asking.explain",
    "similar": "pipeline.commands.asking.similar",
    "drift": "pipeline.commands.asking.drift",
    "score": "pipeline.commands.score",
    "releases": "pipeline.commands.releases",
    "rollback": "pipeline.commands.rollback",
    "prune": "pipeline.commands.prune",
    "export": "pipeline.commands.export",
    "audit": "pipeline.commands.curating.audit",
    "corrections": "pipeline.commands.curating.corrections",
    "sort": "pipeline.commands.curating.sort",
    "compile": "pipeline.commands.compile",
}

_OWN = ("components", "pipeline", "schema", "serving")
"""Packages that every environment has: where a module of them is missing, that is a bug."""

_HOME = re.compile(r"(--[a-z-]+=|)(~(?:/.*)?)", re.DOTALL)


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return importlib.import_module(_COMMANDS[name]).command if name in _COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; that another environment is needed, as where there is no TensorFlow, is said in words."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package in _OWN:
                raise
            command = f"lookbook {ctx.invoked_subcommand}"
            raise click.ClickException(
                f"{sys.executable} has no {package}, which this use of `{command}` needs; `make env` makes the "
                "environment that has it, .venv/pipeline (where TFX runs: README, Install)"
            ) from error


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lookbook")
def cli() -> None:
    """Learns a shop's catalogue and tells what any product photo shows.

    \b
    First steps:
      lookbook data sample build/sample            draw a catalogue to play with
      lookbook data check build/sample             what is wrong with it?
      lookbook run --data build/sample --profile quick
      lookbook classify build/sample/held_out/images/*.jpg

    \b
    With what you have (a shop's export, class folders, COCO, Hugging Face):
      lookbook import export.xlsx --pictures photos/ --out catalogue

    \b
    With your own catalogue (styles.csv and images/<id>.jpg, as a folder or a zip):
      lookbook data check catalogue.zip
      lookbook run --data catalogue.zip --profile standard
      lookbook score --data other.zip --json

    Exit codes: 0 done, 1 the data or a gate said no, 2 wrong use.
    """


def main() -> None:
    """Runs the command line; a fault that has a reason ends with that reason and exit code 1."""
    open_closed()
    # Before TensorFlow is imported anywhere: afterwards it is too late.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Else this process would take all of a GPU's memory, which the process of a training needs.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    warnings.simplefilter("ignore", FutureWarning)
    # Names of files are bytes: what is no text is shown escaped instead of ending the command.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with ended_by_signals(_ending, signal.SIG_DFL):
        cli([_at_home(word) for word in sys.argv[1:]], prog_name="lookbook")


def _ending(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)


def _at_home(word: str) -> str:
    """``--root=~/x`` as meant: most shells know ``~`` at the beginning of a word alone."""
    found = _HOME.fullmatch(word)
    return f"{found[1]}{Path(found[2]).expanduser()}" if found else word


if __name__ == "__main__":
    main()
