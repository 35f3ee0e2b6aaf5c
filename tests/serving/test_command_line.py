"""`lookbook` in the environment without TensorFlow, which is all that macOS and ARM have."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.runner import cli


def _commands(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    """The words of each command and of each group, the first group's too."""
    yield before
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, *before, name)
        else:
            yield (*before, name)


def _said(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), prog_name="lookbook")


def test_every_command_tells_its_help() -> None:
    """Options can be read where a command itself could not run."""
    assert not importlib.util.find_spec("tensorflow")
    commands = list(_commands(cli))
    assert {(), ("run",), ("classify",), ("data", "check"), ("compile",)} <= set(commands)
    for words in commands:
        result = _said(*words, "--help")
        assert result.exit_code == 0, (words, result.output, result.exception)


@pytest.mark.parametrize("words", [("run",), ("data", "check"), ("score",)], ids=" ".join)
def test_what_needs_the_other_environment_says_so(words: tuple[str, ...], tmp_path: Path) -> None:
    """A command that cannot run here names what it lacks and where that is; it shows no traceback."""
    (tmp_path / "images").mkdir()
    (tmp_path / "styles.csv").write_text("id,articleType\n1,Shirts\n")
    root = () if words == ("data", "check") else ("--root", str(tmp_path / "root"))
    data = (str(tmp_path),) if words == ("data", "check") else ("--data", str(tmp_path))
    result = _said(*words, *data, *root)
    assert result.exit_code == 1 and result.output.startswith("Error: "), result.output
    assert "has no tensorflow" in result.output and "`make env`" in result.output
