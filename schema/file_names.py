"""Names of files: as text, though a name is any bytes; which are a system's own, nobody's pictures; which are plain."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PICTURE_SUFFIXES: Final = (
    *(".jpg", ".jpeg", ".png", ".webp", ".jpe", ".jfif", ".jif", ".pjpeg", ".mpo", ".tif", ".tiff", ".bmp", ".dib"),
    *(".gif", ".apng", ".avif", ".heic", ".heif", ".hif"),
)
"""Of pictures that are taken, by their names; the first ones count where a picture is there in several formats."""
_RANKS: Final = {suffix: rank for rank, suffix in enumerate(PICTURE_SUFFIXES)}

_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, of what stands for bytes that are no UTF-8, and of line separators."""

_OF_A_SYSTEM = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r"),
        *("__macosx", "system volume information", "$recycle.bin", "recycler", "lost+found"),
        *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "~snapshot"),
        *("network trash folder", "temporary items"),
    )
)
"""Of Windows and macOS, of their bins, and of the boxes that serve files, Synology's thumbnails among them."""
_OF_OFFICE, _OF_DOWNLOADS = "~$", ":zone.identifier"

NOT_PLAIN: Final = '*?[]{}\\"'
"""TensorFlow, TFX and Beam read these as patterns, placeholders or quotes, and find nothing hours later."""


def is_of_a_system(parts: Iterable[str]) -> bool:
    """Whether a file is hidden or a system's own, by the parts of its path below the place that was given."""
    return any(_is_own(part.lower()) for part in parts)


def _is_own(name: str) -> bool:
    return name in _OF_A_SYSTEM or name.startswith((".", _OF_OFFICE)) or name.endswith(_OF_DOWNLOADS)


def as_text(name: str) -> str:
    r"""The name as Python gives it, with what is no text escaped: the byte e9 as ``\xe9``, a line end as ``\n``."""
    return "".join(_escaped(one) if unicodedata.category(one) in _NO_TEXT else one for one in name)


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # what os.fsdecode makes of a byte that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def as_written(name: str) -> str:
    """The name as whoever gave it sees it: one that is no UTF-8 is Windows' as a rule."""
    if name.isascii():
        return name
    content = name.encode("utf-8", "surrogateescape")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def preference(name: str) -> tuple[int, str]:
    """Sorts the files of one picture: the first is taken. What cameras and tools lay beside it comes last."""
    return _RANKS.get(name[name.rfind(".") :].lower(), len(_RANKS)), name


def require_plain(path: Path | str, what: str) -> None:
    """Refuses a path that would not be taken for what it is, also for what is above its last part.

    Args:
        path: as it is used, absolute.
        what: the word for it.

    Raises:
        ValueError: it holds one of :data:`NOT_PLAIN`, a control character, or bytes that are no UTF-8.
    """
    found = [f"{one!r}"[1:-1] for one in str(path) if one in NOT_PLAIN or one < " " or "\ud800" <= one <= "\udfff"]
    if found:
        raise ValueError(
            f"the {what} {str(path)!r} holds {' '.join(found)}, which TensorFlow does not read as it is; take a path "
            f"without {' '.join(NOT_PLAIN)} and in UTF-8"
        )
