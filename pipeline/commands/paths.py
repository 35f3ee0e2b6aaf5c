"""Paths on the command line that a command makes or writes to."""

from pathlib import Path
from typing import Any, cast

import click


class PathToWrite(click.Path):
    """A path that may be made, which is found out before any work is done for it.

    An empty one, as a variable without a value leaves it, is not the current folder.
    """

    def __init__(self, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a usage error."""
        path = cast(Path, super().convert(value or self.fail("it is empty; give a path", param, ctx), param, ctx))
        try:
            above = next(one for one in path.absolute().parents if one.exists() or one.is_symlink())
            path.exists()
        except (OSError, RuntimeError) as error:
            self.fail(f"{str(path)!r:.300} cannot be made: {getattr(error, 'strerror', None) or error}", param, ctx)
        if not above.is_dir():
            self.fail(f"{str(path)!r:.300} cannot be made: {str(above)!r:.300} is no folder", param, ctx)
        return path
