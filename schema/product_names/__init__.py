"""A product's name as the name model reads it: one form of it, whoever wrote it. Training and serving share it."""

import unicodedata
from typing import Final

MOST_CHARACTERS: Final = 512
"""Longest name that may be given; of a longer one in a catalogue the rest is not read."""

_KEPT: Final = ("L", "M", "N")  # letters, their marks, numbers
_HANGUL: Final = range(0xAC00, 0xD7A4)  # syllables that words are written of, with spaces between the words


def plain(name: str) -> str:
    """The name's words in small letters with single spaces between them, compatible characters as one (NFKC).

    What is neither letter nor number parts words; nothing is left of a name that has neither. Chinese characters and
    kana are words of their own, since nothing stands between the words that they make.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name[:MOST_CHARACTERS]).casefold())
    return " ".join("".join(map(_spaced, folded)).split())


def _spaced(character: str) -> str:
    if unicodedata.category(character)[0] not in _KEPT:
        return " "
    is_word = unicodedata.east_asian_width(character) == "W" and ord(character) not in _HANGUL
    return f" {character} " if is_word else character
