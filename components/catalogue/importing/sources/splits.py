"""Names that others have for the splits."""

import re
from pathlib import PurePosixPath
from typing import Final

from schema import names

_WORDS: Final = {
    **dict.fromkeys(("train", "training", "trn", "learn", "train2014", "train2017"), names.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation", "val2014", "val2017"), names.EVAL),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "heldout", "test2014", "test2017"), names.TEST),
}


def split_of(word: str) -> str:
    """The split that a folder or cell means; empty if none."""
    return _WORDS.get(re.sub(r"[\s_-]", "", word).casefold(), "")


def split_of_file(path: str) -> str:
    """The split that a sheet is of, by its own name (``train-00000-of-00002``) or its folders'; empty if none."""
    file = PurePosixPath(path)
    words = [word for word in re.split(r"[\W_]+", file.stem) if word]
    return next(filter(None, map(split_of, [*words, *reversed(file.parts[:-1])])), "")
