"""Paths on the command line that a command makes or writes to."""

from pathlib import Path
from typing import Any

import click


class PathToWrite(click.Path):
    """A path that may be made; an empty one, as a variable without a value leaves it, is not the current folder."""

    def __init__(self, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a usage error."""
        return super().convert(value or self.fail("it is empty; give a path", param, ctx), param, ctx)
