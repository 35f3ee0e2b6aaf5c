"""From the bytes of a sheet to its records, whatever a spreadsheet made of it: encoding, separator, empty rows."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from schema import names

MAX_LINES_OF_A_ROW: Final = 10  # a quoted name may hold line ends; one of more lines must look like no rows
_MOST_LINES: Final = 1000  # of a description with markup; a quote open for longer than this was never closed
SEPARATORS: Final = (",", ";", "\t", "|")
_OTHERS: Final = {
    b"pk\3\4": "a spreadsheet's own file; save it as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "a spreadsheet's own file; save it as CSV in UTF-8",
    b"\x1f\x8b": "packed by gzip; unpack it first",
    b"%pdf": "a PDF; save what it shows as CSV in UTF-8",
    b"<!doctype": "a web page; save what it shows as CSV in UTF-8",
    b"<html": "a web page; save what it shows as CSV in UTF-8",
    b"<?xml": "XML; save it as CSV in UTF-8",
}
"""What files that are no text of cells begin with, in small letters, and what to do about them."""
_SAID: Final = re.compile(r'"?sep=([^\w"\s]|\t)"?\s*', re.IGNORECASE)  # the first line, as Excel writes it
_QUOTED: Final = re.compile(r'(?:^|(?<=[,;\t|\n]))"[^"]*"')
_LINES_ABOVE: Final = 20
_LOOKED_AT: Final = 4096  # bytes or characters from the beginning, to guess by


@dataclass(frozen=True)
class Record:
    """The fields of a row, as they stand there.

    Attributes:
        line: of the sheet, counted from 1, where it begins.
        fields: unquoted.
        stray_quote: quotes did not pair up and were read as text.
        error: why it cannot be read; empty if it can.
    """

    line: int
    fields: list[str]
    stray_quote: bool = False
    error: str = ""


@dataclass(frozen=True)
class Sheet:
    """A sheet of text.

    Attributes:
        lines: without their ends.
        separator: of the fields.
        first: index of the line with the header.
    """

    lines: list[str]
    separator: str
    first: int

    def beginnings(self) -> Iterator["Sheet"]:
        """The sheet as if its header stood in a later line: what stands above one may be a title."""
        for index in range(self.first, min(self.first + _LINES_ABOVE, len(self.lines))):
            if self.lines[index].strip():
                yield Sheet(self.lines, _separator(self.lines[index : index + 1]), index)

    def records(self) -> Iterator[Record]:
        """The header and every row that is not an empty line."""
        start, width = self.first, 1
        while start < len(self.lines):
            if not self.lines[start].strip():
                start += 1
                continue
            record, used = _record(self.lines, start, self.separator, width)
            yield record
            start, width = start + used, max(width, len(record.fields))


def open_sheet(content: bytes, changes: Changes, name: str = names.STYLES_CSV, encoding: str = "") -> Sheet:
    """Decodes a sheet and finds its separator.

    Args:
        content: the file.
        changes: where it is noted that it is read otherwise than as UTF-8.
        name: of the file, for errors.
        encoding: of the file; empty: by its bytes.

    Raises:
        CatalogueError: it is empty, in an encoding that no spreadsheet writes, or holds NUL bytes.
    """
    begin = content[:_LOOKED_AT].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if other := next((what for mark, what in _OTHERS.items() if begin.startswith(mark)), ""):
        raise CatalogueError(f"{name} is {other}")
    text = _text(content, changes, name, encoding)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = _unwrapped(lines, changes)
    first = next(index for index, line in enumerate(lines) if line.strip())
    if said := _SAID.fullmatch(lines[first]):
        return Sheet(lines, said.group(1), first + 1)
    return Sheet(lines, _separator(lines[first : first + _LINES_ABOVE]), first)


def _text(content: bytes, changes: Changes, name: str, encoding: str) -> str:
    text = _decoded(content, changes, name, encoding)
    if not text.strip():
        raise CatalogueError(f"{name} is empty")
    if (position := text.find("\0")) >= 0:
        line = text.count("\n", 0, position) + 1
        raise CatalogueError(f"{name} holds a NUL byte in line {line}; save it as plain text in UTF-8")
    return text


def _decoded(content: bytes, changes: Changes, name: str, given: str) -> str:
    encoding = given or _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogueError(
            f"{name} is not {_NAMES.get(encoding, given or 'UTF-8')}: byte 0x{content[error.start]:02x} in line "
            f"{line}; save it as UTF-8"
        ) from error
    except (LookupError, UnicodeError) as error:
        raise CatalogueError(
            f"{given!r} is no encoding of {name} that is known; give one that Python has, like shift_jis or cp1250"
        ) from error
    if encoding == "cp1252" and not given:
        _require_western(text, name)
    if encoding in _NAMES and not given:
        changes.note("encoding that is not UTF-8", f"the sheet is read as {_NAMES[encoding]}")
    return text.removeprefix("\ufeff").rstrip("\x1a")  # what DOS ended a file with


def _require_western(text: str, name: str) -> None:
    """Refuses what is a text in another encoding of single bytes: it would give labels that nobody wrote.

    Raises:
        CatalogueError: it holds what no Western word does.
    """
    if found := _NOT_WESTERN.search(text):
        number, start = text.count("\n", 0, found.start()) + 1, text.rfind("\n", 0, found.start()) + 1
        words = text[max(found.start() - 12, start) : found.end() + 12].split("\n")[0]
        raise CatalogueError(
            f"{name} is neither UTF-8 nor Windows-1252, as which line {number} would read {words!r}; save it as UTF-8"
        )


_SIGNS: Final = "¡¢£¤¥¦§¨©ª¬¯±²³µ¶¸¹º»¼½¾¿ƒ†‡ˆ‰‹›˜ŠŽŸ"
_CONSONANT: Final = "[b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZß]"
_NOT_WESTERN: Final = re.compile(
    "|".join(
        (
            rf"[À-ÿŒšœž{_SIGNS}]{{4}}",  # four characters beyond ASCII in a row
            rf"[a-zà-ÿšžœ][{_SIGNS}](?=[a-zà-ÿšžœ])",  # a sign, or a large letter, inside a word
            "[A-ZÀ-Ý][ŠŽŸ](?=[a-zà-ÿ])",
            rf"{_CONSONANT}š(?={_CONSONANT})",  # an old Mac's ö; no language that Windows-1252 can write has it there
            r"\bƒ(?=[A-Za-z])",  # a letter that begins no word
        )
    )
)
_NAMES: Final = {"utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}


def _encoding(content: bytes) -> str:
    """The encoding of a sheet, by its mark, its NUL bytes, or what is left when it is not UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    begin = content[:_LOOKED_AT]
    for head in (begin, begin.partition(b"\n")[0]):  # what follows the header may be of any script
        for encoding, nul, letters in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
            if len(nul) > 8 and nul.count(0) > 0.6 * len(nul) and letters.count(0) == 0:
                return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        # Where other characters are good UTF-8, a few bytes are damaged: Windows' encoding would garble the others.
        rest = content.decode("utf-8", "surrogateescape")
        has_good = any(character > "\x7f" and not "\udc80" <= character <= "\udcff" for character in rest)
        return "utf-8" if has_good else "cp1252"
    return "utf-8"


def _unwrapped(lines: list[str], changes: Changes) -> list[str]:
    """Without the quotes around whole lines: a spreadsheet that took each line for one cell has put them there."""
    first = [_cell_of(line) for line in itertools.islice(filter(str.strip, lines), 2)]
    if not all(cell and any(one in cell for one in SEPARATORS) for cell in first):
        return lines
    changes.note("lines in quotes as a whole, read without these", f"the first one: {first[0]!r}")
    return [_cell_of(line) or line for line in lines]


def _cell_of(line: str) -> str:
    """What a line holds that is one quoted cell; empty for any other line."""
    fields = _strictly([line], "\x1f") if line.startswith('"') else None
    return fields[0] if fields else ""


def _separator(lines: Sequence[str]) -> str:
    """The one that most lines have alike, and of such the one that they have most of; a comma if they have none.

    What stands in quotes does not count, nor do texts in the header: ``id;type;"name (de, en, fr)"``.
    """
    plain = _QUOTED.sub('""', "\n".join(line[:_LOOKED_AT] for line in lines)).split("\n")

    def agreement(separator: str) -> tuple[int, int]:
        counts = Counter(filter(None, (line.count(separator) for line in plain)))
        return max(((lines, count) for count, lines in counts.items()), default=(0, 0))

    return max(SEPARATORS, key=agreement)


def _record(lines: Sequence[str], start: int, separator: str, width: int) -> tuple[Record, int]:
    """The record that begins at ``start`` and how many lines it takes; ``width`` is that of the rows before.

    The strict reader refuses quotes that do not pair up, where the lenient one would swallow the rows that follow.
    """
    for end in range(start + 1, min(start + MAX_LINES_OF_A_ROW, len(lines)) + 1):
        fields = _strictly(lines[start:end], separator)
        if fields is not None:
            return Record(start + 1, fields), end - start
    if width > 1 and (found := _of_many_lines(lines[start : start + _MOST_LINES], separator, width)):
        return Record(start + 1, found[0]), found[1]
    fields = _leniently(lines[start], separator)
    too_long = max(map(len, fields)) > csv.field_size_limit()
    error = f"field larger than field limit ({csv.field_size_limit()})" if too_long else ""
    return Record(start + 1, fields, stray_quote=not error, error=error), 1


def _of_many_lines(lines: Sequence[str], separator: str, width: int) -> tuple[list[str], int] | None:
    """The row with a long text in quotes that ``lines`` begin with, and how many it takes; none of these may be one."""
    reader = csv.reader((line + "\n" for line in lines), strict=True, delimiter=separator)
    try:
        fields = next(reader)
    except csv.Error:
        return None
    inside = lines[1 : reader.line_num - 1]
    is_plain = len(fields) == width and not any(len(_leniently(line, separator)) == width for line in inside)
    return (fields, reader.line_num) if is_plain else None


def _strictly(lines: Sequence[str], separator: str) -> list[str] | None:
    """The fields, where all quotes pair up; some tools write a space before the first of a pair."""
    fields = _by_csv(lines, separator, skipinitialspace=False)
    if fields and any(field.lstrip(" ")[:1] == '"' for field in fields if field[:1] == " "):
        return _by_csv(lines, separator, skipinitialspace=True) or fields
    return fields


def _by_csv(lines: Sequence[str], separator: str, skipinitialspace: bool) -> list[str] | None:
    ended = [line + "\n" for line in lines]
    try:
        return next(csv.reader(ended, strict=True, delimiter=separator, skipinitialspace=skipinitialspace))
    except csv.Error:
        return None


def _leniently(line: str, separator: str) -> list[str]:
    """The fields, where quotes are inside of quotes: one that is in quotes ends where a separator follows one."""
    fields, at = [], 0
    while at <= len(line):
        found = _field(separator).match(line, at)
        if not found:
            raise AssertionError("a field may be empty, so that there is always one")
        quoted = found.group(1)
        fields.append(found.group(2) if quoted is None else re.sub(r'(?:\\|")"', '"', quoted))
        at = found.end() + 1
    return fields


@lru_cache(8)
def _field(separator: str) -> re.Pattern[str]:
    """A field in quotes, inside of which no other one begins or ends; else whatever stands before a separator."""
    at = re.escape(separator)
    return re.compile(rf' *"((?:(?!{at} *"|" *(?:{at}|$)).)*)" *(?={at}|$)|([^{at}]*)')
