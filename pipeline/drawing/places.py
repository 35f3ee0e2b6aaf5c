"""Where a drawing may be written."""

from pathlib import Path


def require_other(option: str, out: Path, photo: Path) -> None:
    """Sees to it that a drawing does not take the place of the photo that it is of.

    Raises:
        ValueError: it would, by this name or another of the same file.
    """
    if out.exists() and out.samefile(photo):
        raise ValueError(f"{option} {out} is the photo itself, which it would replace; give another file")
