"""Which photos show (nearly) the same pixels, and which of them is the best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from components.catalogue.reading.pictures import LIMITS, THUMBNAIL, thumbnails_of
from components.catalogue.splitting.near import near_duplicates
from schema import pictures
from serving.client.files import read_picture
from serving.proto.lookbook.v1 import classifier_pb2 as pb

_AT_ONCE: Final = 64


@dataclass(frozen=True)
class _Look:
    thumbnail: np.ndarray
    pixels: int
    size: int


def sets_of_alike(photos: Sequence[Path], progress: Callable[[int], object] = lambda photos: None) -> list[list[int]]:
    """Sets of two and more indices of ``photos`` that are (nearly) the same, in each the best first.

    The best has most pixels, then most bytes, then the first name. What cannot be read or shown is in no set.

    Args:
        photos: files.
        progress: called with the number of photos looked at since the last call.
    """
    looks: dict[int, _Look] = {}
    for start in range(0, len(photos), _AT_ONCE):
        some = range(start, min(start + _AT_ONCE, len(photos)))
        looks |= _looks({index: photos[index] for index in some})
        progress(len(some))
    known = list(looks)
    thumbnails = [looks[index].thumbnail for index in known]
    sets = near_duplicates(np.stack(thumbnails) if thumbnails else np.zeros((0, *THUMBNAIL, 3), np.uint8))
    return [sorted((known[one] for one in members), key=lambda index: _rank(index, looks)) for members in sets]


def _rank(index: int, looks: dict[int, _Look]) -> tuple[int, int, int]:
    return -looks[index].pixels, -looks[index].size, index


def _looks(photos: dict[int, Path]) -> dict[int, _Look]:
    seen = {index: found for index, photo in photos.items() if (found := _opened(photo))}
    thumbnails = thumbnails_of([normal for normal, _, _ in seen.values()])
    return {
        index: _Look(thumbnail, pixels, size)
        for (index, (_, pixels, size)), thumbnail in zip(seen.items(), thumbnails, strict=True)
        if thumbnail is not None
    }


def _opened(photo: Path) -> tuple[bytes, int, int] | None:
    """Its normal form, pixels and bytes; None where it shows nothing, which the answer to it has said."""
    content = read_picture(photo)
    if isinstance(content, pb.Problem):
        return None
    try:
        header = pictures.read_header(content, LIMITS)
        return pictures.normal_form(content, header).content, header.width * header.height, len(content)
    except pictures.PictureFault:
        return None
