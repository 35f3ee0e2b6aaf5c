"""Names without the words of their own labels: what a name says besides its type.

Most names have their type in them. A model that saw no others takes a name without such a word for one of another type,
and counting right answers by whole names alone is reading, not seeing.
"""

import itertools
from collections.abc import Sequence

from schema.product_names import plain


def without_own_words(name: str, labels: Sequence[str]) -> str:
    """A plain name without the words of these labels, in singular and plural, written in one word or two."""
    own = {
        form
        for label in labels
        for word in (*plain(label).split(), plain(label).replace(" ", ""))
        for form in _forms(word)
    }
    words = name.split()
    pairs = [_forms(first + second) & own for first, second in itertools.pairwise(words)]
    dropped = {i for i, word in enumerate(words) if _forms(word) & own}
    dropped |= {at for i, found in enumerate(pairs) if found for at in (i, i + 1)}
    return " ".join(word for i, word in enumerate(words) if i not in dropped)


def _forms(word: str) -> set[str]:
    return {word, word.removesuffix("s"), word.removesuffix("es")} - {""}
