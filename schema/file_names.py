"""Names of files as text: a name is any bytes, a message or a table takes text of one line."""

import unicodedata

_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, of what stands for bytes that are no UTF-8, and of line separators."""


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
