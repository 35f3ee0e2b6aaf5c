"""Where each photo goes. Nothing is touched here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import RunError
from pipeline.sorting.folder_names import REVIEW, FreeNames, folder_name
from schema import heads as table


@dataclass(frozen=True)
class Photo:
    """A photo and what was said of it: an answer, or words of what is wrong with it."""

    file: Path
    name: str
    answer: dict[str, Any] | None
    error: str = ""


@dataclass(frozen=True)
class Step:
    """A file and its place."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Plan:
    """What would be done with all files of a folder.

    Attributes:
        into: folder that all targets lie below.
        steps: photos with their places.
        left: name → why the file stays where it is.
        sets: how many sets of (nearly) equal photos lie together.
    """

    into: Path
    steps: tuple[Step, ...]
    left: dict[str, str]
    sets: int

    def folders(self) -> dict[str, int]:
        """Folder below ``into``, without those of sets → photos that go there, the most first."""
        counts = Counter(_top(step.target.relative_to(self.into)) for step in self.steps)
        return dict(counts.most_common())


def _top(path: Path) -> str:
    parts = path.parts
    return "/".join(parts[:2]) if parts[0] == REVIEW and len(parts) > 2 else parts[0]


def make_plan(
    into: Path, photos: Sequence[Photo], alike: Sequence[Sequence[int]], by: table.Head, left: dict[str, str]
) -> Plan:
    """Places all photos that were answered.

    Args:
        into: folder for them.
        photos: all of them.
        alike: sets of indices of ``photos``, the best first; a set goes where its best one goes.
        by: the head whose label names the folder.
        left: name → why a file is no photo.

    Raises:
        RunError: the release says nothing of that head.
    """
    left = left | {photo.name: photo.error for photo in photos if photo.answer is None}
    names, steps, done, sets = FreeNames(), [], set(), 0
    for members in alike:
        answered = [index for index in members if photos[index].answer is not None]
        if len(answered) < 2:
            continue
        sets += 1
        folder = names.take(into / _place(photos[answered[0]].answer, by), f"alike {sets:04d}")
        for position, index in enumerate(answered, 1):
            file = photos[index].file
            steps.append(Step(file, names.take(folder, f"{position:02d} {file.name}")))
        done |= set(answered)
    for index, photo in enumerate(photos):
        if photo.answer is not None and index not in done:
            steps.append(Step(photo.file, names.take(into / _place(photo.answer, by), photo.file.name)))
    return Plan(into, tuple(steps), left, sets)


def _place(answer: dict[str, Any] | None, by: table.Head) -> Path:
    """The folder for an answer, below the one for all; unsure ones lie below ``review``."""
    assert answer is not None
    label, unsure = _attribute(answer, by) if by.level is None else (answer["joint"].get(by.name), False)
    if not label:
        raise RunError(f"the release says nothing of {by.column}; give --by another column")
    folder = Path(folder_name(label))
    return Path(REVIEW) / folder if unsure or answer["review"]["needed"] else folder


def _attribute(answer: dict[str, Any], by: table.Head) -> tuple[str, bool]:
    for one in answer["attributes"]:
        if one["head"] == by.name:
            return one["label"], bool(one["review"])
    return "", False
