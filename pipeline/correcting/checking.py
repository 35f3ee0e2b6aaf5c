"""What a release makes of the decisions that its catalogue keeps: what it learnt, and what it spoilt."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from components.catalogue.reading.pictures import UnusablePicture, load_picture
from components.catalogue.reading.source import Catalogue
from components.html_page import render_html, small_jpeg
from components.release import durable
from components.release.card.files import draw_anew
from components.release.card.page import correction_sentences
from pipeline.correcting.merging import is_kept, make_plan
from pipeline.correcting.plan import MERGED, Entry
from pipeline.scoring import ReleasedModels, sound_release
from schema.corrections import ACCEPTED, PATH_SEPARATOR, Correction
from schema.release_folder import CORRECTIONS_CHECK, CORRECTIONS_PAGE, Release, ReleaseFolder

_BATCH: Final = 64
_SHOWN: Final = 300


class Verdict(str, Enum):
    """What became of an answer that a person decided about, in the order in which one wants to look at them."""

    SPOILT = "spoilt"
    STILL_WRONG = "still_wrong"
    FIXED = "fixed"
    STILL_RIGHT = "still_right"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class Checked:
    """One decision and the answer of the release.

    Attributes:
        id: of the catalogue's row.
        decision: what the person decided.
        answer: joint answer from the top down; empty where the release was not asked.
        confidence: of it, 0 to 1.
        verdict: in a word.
        detail: why the release was not asked.
    """

    id: str
    decision: Correction
    answer: str
    confidence: float
    verdict: Verdict
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        said = self.decision
        return {
            "verdict": self.verdict.value,
            "id": self.id,
            "right": said.path,
            "answer": self.answer,
            "confidence": self.confidence,
            **({"detail": self.detail} if self.detail else {}),
            **{name: getattr(said, name) for name in ("decision", "answered", "by", "at", "release")},
        }


@dataclass
class Check:
    """All of them.

    Attributes:
        release: version of the release that was asked.
        checked: by verdict, what went wrong first.
    """

    release: int
    checked: list[Checked] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Verdict → how many, each named."""
        found = Counter(one.verdict for one in self.checked)
        return {verdict.value: found[verdict] for verdict in Verdict}

    def in_words(self) -> str:
        """The counts for a person."""
        return " ".join(correction_sentences(self.counts()))

    def as_json(self) -> dict[str, Any]:
        """For machines: the counts, and each decision with the answer."""
        return {
            "release": self.release,
            "counts": self.counts(),
            "corrections": [one.as_json() for one in self.checked],
        }


def check_release(
    folder: ReleaseFolder,
    version: int | None,
    catalogue: Catalogue,
    progress: Callable[[int], object] = lambda pictures: None,
) -> Check:
    """Asks a release about the decisions that the catalogue keeps; that stays beside its report and on its card.

    Args:
        folder: of releases.
        version: of the release; None: the current one.
        catalogue: one that ``lookbook corrections merge`` wrote.
        progress: called with the number of pictures done since the last call.

    Raises:
        RunError: there is no such release, or its files are not those that its manifest lists.
        CatalogueError: the catalogue cannot be used.
        CorrectionsError: its list of corrections cannot be read.
        OSError: the report cannot be written.
    """
    release = sound_release(folder, version)
    entries = [one for one in make_plan(catalogue, (), 1).entries if is_kept(one) and one.outcome in MERGED]
    models = ReleasedModels(folder.directory, release.version)
    found = [one for batch in _batches(entries) for one in _asked(models, catalogue, batch, progress)]
    order = [*Verdict]
    check = Check(release.version, sorted(found, key=lambda one: order.index(one.verdict)))
    _write(check, release, folder, catalogue)
    return check


def _batches(entries: list[Entry]) -> Iterator[list[Entry]]:
    for start in range(0, len(entries), _BATCH):
        yield entries[start : start + _BATCH]


def _asked(
    models: ReleasedModels, catalogue: Catalogue, entries: list[Entry], progress: Callable[[int], object]
) -> Iterator[Checked]:
    read = [(one, _picture(catalogue, one)) for one in entries]
    yield from (_not_asked(one, str(found)) for one, found in read if isinstance(found, UnusablePicture))
    readable = [(one, found) for one, found in read if isinstance(found, bytes)]
    scores, is_ok = models.scores([picture for _, picture in readable]) if readable else ({}, ())
    for index, (one, _) in enumerate(readable):
        if is_ok[index]:
            joint = models.joint({level: scores[level][index].tolist() for level in models.levels})
            yield _judged(one, joint, models.levels)
        else:
            yield _not_asked(one, "the models cannot decode its picture")
    progress(len(entries))


def _picture(catalogue: Catalogue, entry: Entry) -> bytes | UnusablePicture:
    try:
        return load_picture(catalogue, entry.row_id).content
    except UnusablePicture as error:
        return error


def _judged(entry: Entry, joint: Any, levels: tuple[str, ...]) -> Checked:
    said = _decision(entry)
    answer = {level: getattr(joint, level) for level in levels}
    is_right = all(answer[level] == label for level, label in said.labels.items() if label and level in answer)
    if said.decision == ACCEPTED:
        verdict = Verdict.STILL_RIGHT if is_right else Verdict.SPOILT
    else:
        verdict = Verdict.FIXED if is_right else Verdict.STILL_WRONG
    return Checked(entry.row_id, said, PATH_SEPARATOR.join(answer.values()), joint.confidence, verdict)


def _not_asked(entry: Entry, why: str) -> Checked:
    return Checked(entry.row_id, _decision(entry), "", 0.0, Verdict.NOT_ASKED, why)


def _decision(entry: Entry) -> Correction:
    assert entry.offered  # only decisions are merged
    return entry.offered.correction


def _write(check: Check, release: Release, folder: ReleaseFolder, catalogue: Catalogue) -> None:
    report = folder.report_path(release.version)
    report.mkdir(parents=True, exist_ok=True)
    shown = [*itertools.islice((one for one in check.checked if one.verdict is not Verdict.NOT_ASKED), _SHOWN)]
    pictures = {one.id: small_jpeg(load_picture(catalogue, one.id).content) for one in shown}
    page = render_html(__package__, "corrections.html", check=check, shown=shown, pictures=pictures)
    durable.write(report / CORRECTIONS_PAGE, page)
    durable.write(report / CORRECTIONS_CHECK, json.dumps(check.as_json(), indent=1, ensure_ascii=False) + "\n")
    draw_anew(release.manifest, report)
