"""Which paths TensorFlow, TFX and Beam take for what they are."""

from pathlib import Path
from typing import Final

NOT_PLAIN: Final = '*?[]{}\\"'
"""They read these as patterns, placeholders or quotes, and find nothing, or something else, hours later."""


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
