"""What a cell means, however a spreadsheet, an export or a person wrote it: one normal form of each id and label."""

import html
import re
import unicodedata
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from schema.file_names import PICTURE_SUFFIXES

EMPTY_WORDS: Final = frozenset(
    (
        *("nan", "null", "none", "nil", "n/a", "na", "n.a.", "<na>", "nat", "undefined", "-", "--", "–", "—", "?"),
        *("#n/a", "#na", "#value!", "#ref!", "#name?", "#null!", "#div/0!", "#num!", "#spill!", "#calc!"),
        *("#getting_data", "(blank)", "(null)", "(none)", "(empty)", "(leer)", "<null>", r"\n", "k.a."),
        *("not available", "not applicable"),
    )
)
"""What tools write for nothing, in small letters."""
_BARE_WORDS: Final = frozenset(
    ("nan", "null", "none", "nil", "na", "n a", "nat", "undefined", "1qnan", "1snan", "1ind")
)
_LONGEST_EMPTY: Final = 24  # characters; names are longer, and are many
# Of spreadsheets in any language of Latin letters (``#WERT!``, ``#NOM?``, ``#NV``), and LibreOffice's.
_ERROR: Final = re.compile(r"#¡?[A-ZÀ-Ý]{2}[A-ZÀ-Ý/0]*[!?]|#(N/?[ADV]|REF|NUM|NULL|NAME|VALUE|DIV/0)|Err:\d{3}")

MOST_DIGITS: Final = 30  # of an id that is a number

# What Unicode calls ignorable (zero-width spaces, soft hyphens, marks of the writing direction, fillers, tags), the
# blank of Braille, and control characters that are no white space.
_INVISIBLE: Final = dict.fromkeys(
    (
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x200B, 0x200E, 0x200F, 0x2800, 0x3164, 0xFEFF),
        *range(0x180B, 0x1810), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFFF0, 0xFFFC),
        *range(0xE0000, 0xE1000), *range(0x09), *range(0x0E, 0x1C), 0x7F, 0xFFA0,
    )
)  # fmt: skip
# They shape scripts and emoji, and do nothing beside a Latin letter, a space, or an end.
_JOINERS: Final = re.compile(
    "(?<![^\0-\u024f])[\u200c\u200d\ufe00-\ufe0f]+|[\u200c\u200d\ufe00-\ufe0f]+(?![^\0-\u024f])"
)
_QUOTES: Final = "'\"`´‘’‚“”„«»"
_IN_QUOTES: Final = re.compile(f"(?:= *)?[{_QUOTES}]([^{_QUOTES}]+)[{_QUOTES}]")
_MARKS: Final = ("P", "Z", "C", "Sm", "Sk", "Sc")  # what Unicode calls neither a letter, nor a number, nor a picture
_ENTITY: Final = re.compile(r"&(#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]\w*);")
_ODD: Final = (
    (re.compile(r"^(true|false|wahr|falsch|[-+]?\d[\d.,]*%?)$", re.IGNORECASE), "number or truth value"),
    (re.compile(r"^(\d{1,4}[-./]\d{1,2}[-./]\d{1,4}( .*)?|\d{1,2}[-. ][A-Za-zäé]{3,4}\.?([-. ]\d{2,4})?)$"), "date"),
    (re.compile(r"""^(b?'.*'|b".*"|\[.*\]|\{.*\}|\(.*,\))$|\\[ux][\da-fA-F]{2}"""), "program's notation"),
    (re.compile(r"</?[A-Za-z][^<>]*>"), "text with markup"),
    (re.compile("[ÂÃ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]|\ufffd"), "text that was once read in a wrong encoding"),
)
_FORMULA: Final = re.compile(r'=\s*"(.*)"')
_NO_LETTER: Final = re.compile(r"[\W_]+")
_PICTURE: Final = re.compile(f"({'|'.join(map(re.escape, PICTURE_SUFFIXES))})$", re.IGNORECASE)
_FOLDER: Final = re.compile(r"^(\./)?images[/\\]", re.IGNORECASE)
_DECIMAL: Final = re.compile(r"(\d+)[.,]0+")
_GROUPED: Final = re.compile(r"\d{1,3}([,'’ ])\d{3}(\1\d{3})*(\.0+)?")
_DOTTED: Final = re.compile(r"(\d{1,3}(?:\.\d{3})+)(,0+)?")
_ROUNDED: Final = re.compile(r"\d[.,]\d+[eE]\+\d{2}")
_POWER: Final = re.compile(r"\d([.,]\d+)?[eE]\+?\d{1,2}")


def tidy(text: str) -> str:
    """A text with composed characters and single spaces, and nothing invisible."""
    if text.isascii() and text.isprintable():  # nearly all
        return " ".join(text.split())
    visible = _JOINERS.sub("", unicodedata.normalize("NFC", text).translate(_INVISIBLE))
    return " ".join(unicodedata.normalize("NFC", visible).split())


@lru_cache(4096)  # most labels come again
def label_of(text: str) -> str:
    """A label in its normal form: tidy, no quotes around it, no entities of HTML; "" for what means nothing."""
    label = tidy(without_entities(text))
    if quoted := _IN_QUOTES.fullmatch(label):
        label = quoted.group(1).strip()
    is_marks = all(unicodedata.category(one).startswith(_MARKS) for one in label)
    return "" if is_marks or is_empty(label) else label


def without_entities(text: str) -> str:
    """A text in which ``&amp;`` is ``&``, however often it was escaped; a bare ``&`` stays."""
    while (plain := _ENTITY.sub(lambda found: html.unescape(found.group()), text)) != text:
        text = plain
    return text


@lru_cache(4096)
def oddity(label: str) -> str:
    """What a label looks like that hardly is one, as a sheet makes a date of ``1-2``; "" for all others."""
    return next((what for pattern, what in _ODD if pattern.search(label)), "")


def is_empty(text: str) -> bool:
    """Whether a cell holds nothing, or a word that tools write for nothing."""
    plain = text.strip()
    if len(plain) > _LONGEST_EMPTY:
        return False
    plain = unicodedata.normalize("NFKC", plain)
    if not plain or plain.casefold() in EMPTY_WORDS or _ERROR.fullmatch(plain):
        return True
    bare = "".join(one for one in plain.casefold() if one.isalnum() or one == " ")
    return " ".join(bare.split()) in _BARE_WORDS  # in quotes or brackets, with a sign, with or without points


def id_of(text: str, known: Collection[str] = ()) -> str:
    """An id in its normal form: "10001" for ``10001.0``, ``'10001``, ``="10001"``, ``10,001``, ``10001.jpg``.

    Args:
        text: the cell.
        known: ids of the pictures. What is one of them stays as it is, and what is ambiguous (``10.001``, ``1e4``) is
            taken for a number only if that is one of them. Leading zeros stay.
    """
    plain = tidy(text)
    if plain in known:
        return plain
    if is_empty(plain):
        return ""
    sure = number_of(plain)
    if sure in known:
        return sure
    return next((guess for guess in (*_guesses(sure), *_names_of_file(plain)) if guess in known), sure)


def number_of(text: str) -> str:
    """A whole number without what spreadsheets write around it and into it; any other text without that around it."""
    return _number(_bare(unicodedata.normalize("NFKC", text)))


ROUNDED: Final = "id that looks like a number which a spreadsheet has rounded; format the column as text and save anew"
"""What is said of an id of which :func:`is_rounded` holds."""


def is_rounded(row_id: str) -> bool:
    """Whether an id looks like a long number that a spreadsheet has rounded: ``1.23E+12``. What it was is lost."""
    return bool(_ROUNDED.fullmatch(row_id))


def alike(row_id: str) -> str:
    """What ids have in common that differ only as file names and spreadsheets make them: ``AB-1/2``, ``ab-1_2``."""
    return _NO_LETTER.sub("-", row_id.casefold()).lstrip("0") or row_id


def _bare(text: str) -> str:
    """Without what marks a text in Excel, the picture's folder, and its extension."""
    formula = _FORMULA.fullmatch(text)
    text = formula.group(1) if formula else text
    text = "".join(str(unicodedata.decimal(one, one)) for one in text.strip(_QUOTES).strip())  # digits of any script
    return _PICTURE.sub("", _FOLDER.sub("", text))


def _number(text: str) -> str:
    """A whole number without the point and the commas that a spreadsheet gave it; any other text as it is."""
    if grouped := _GROUPED.fullmatch(text):
        text = text.replace(grouped.group(1), "")
    decimal = _DECIMAL.fullmatch(text)
    return decimal.group(1) if decimal else text


def _names_of_file(text: str) -> list[str]:
    """The names that a path or an address of a picture ends in, without one extension, and without two."""
    name = re.split(r"[/\\]", text.partition("?")[0])[-1]
    if not _PICTURE.search(name):
        return []
    once = _PICTURE.sub("", name)
    return [once, _PICTURE.sub("", once)]


def _guesses(text: str) -> list[str]:
    if dotted := _DOTTED.fullmatch(text):
        return [dotted.group(1).replace(".", "")]
    if not _POWER.fullmatch(text):
        return []
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return []
    return [str(int(number))] if number == number.to_integral_value() and number.adjusted() < MOST_DIGITS else []
