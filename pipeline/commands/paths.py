"""Paths on the command line that a command makes or writes to."""

import os
from pathlib import Path
from typing import Any, cast

import click


class PathToWrite(click.Path):
    """A path that may be made, which is found out before any work is done for it.

    An empty one, as a variable without a value leaves it, is not the current folder. A link to nothing is no folder,
    nor can one be made there, unless the command makes what the link names: ``follows``.
    """

    def __init__(self, file_okay: bool = True, dir_okay: bool = True, follows: bool = False) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)
        self.follows = follows

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a usage error."""
        path = cast(Path, super().convert(value or self.fail("it is empty; give a path", param, ctx), param, ctx))
        if wrong := self._wrong(path):
            self.fail(f"{str(path)!r:.300} cannot be made: {wrong}", param, ctx)
        return path

    def _wrong(self, path: Path) -> str:
        """Why nothing can be made there; empty where it can, or is there."""
        whole = path.absolute()
        try:
            above = next((one for one in whole.parents if one.exists() or one.is_symlink()), whole)
            is_dangling = not path.exists() and path.is_symlink()
        except (OSError, RuntimeError) as error:
            return str(getattr(error, "strerror", None) or error)
        if not above.is_dir():
            return f"{str(above)!r:.300} is no folder"
        if is_dangling and not self.follows and (self.dir_okay or not _can_be_filled(path)):
            return f"it is a link to {str(path.readlink())!r:.300}, which is not there"
        return ""


def _can_be_filled(link: Path) -> bool:
    """Whether what is written to a link to nothing makes a file where it leads."""
    end = Path(os.path.realpath(link))
    return end.parent.is_dir() and not end.is_symlink()  # one that is still a link leads in a circle
