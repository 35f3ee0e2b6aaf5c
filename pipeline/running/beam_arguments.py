"""What Beam makes of ``--beam-arg``, before any data is read."""

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Final

_LOGGER: Final = "apache_beam.options.pipeline_options"
_IN_THIS_PROCESS: Final = ("", "FnApiRunner", "DirectRunner", "BundleBasedDirectRunner", "SwitchingDirectRunner")
"""Runners that know no options but those of Beam itself; others ask a server, or a module, for more."""


def require_beam_arguments(arguments: Sequence[str]) -> None:
    """Refuses what would end the first step that runs on Beam, or what Beam would pass over.

    Raises:
        ValueError: an argument is none of Beam's, has a value of the wrong kind, or names a runner that there is not.
    """
    if not arguments:
        return
    # Its import takes a second or two.
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    with _words() as dropped:
        said = io.StringIO()
        try:
            with redirect_stderr(said), redirect_stdout(io.StringIO()):
                options = PipelineOptions(list(arguments))
                options.get_all_options()
                runner = options.view_as(StandardOptions).runner or ""
        except SystemExit as error:  # argparse's, after pages of usage
            why = said.getvalue().strip().rpartition("error: ")[2]
            raise ValueError(
                f"--beam-arg: {why or 'with -h or --help Beam tells its options and runs nothing'}"
            ) from error
    _require_runner(runner)
    if dropped and runner in _IN_THIS_PROCESS:
        raise ValueError(f"--beam-arg {' '.join(arguments)}: Beam would pass over it ({dropped[0]})")


def _require_runner(name: str) -> None:
    from apache_beam.runners.runner import create_runner

    try:
        create_runner(name or "FnApiRunner")
    except (ValueError, ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"--beam-arg --runner={name}: there is no such runner ({error})") from error


@contextmanager
def _words() -> Iterator[list[str]]:
    """What Beam logs of its arguments, instead of on the console."""
    found: list[str] = []
    handler, logger = logging.Handler(), logging.getLogger(_LOGGER)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
