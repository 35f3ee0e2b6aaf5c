"""What mergers saw, hour by hour: read from them or from files, and added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import RunError
from schema.plain_json import parsed
from serving.client.http import get, is_url

FORMAT: Final = 1
PATH: Final = "/seen"
_PATIENCE_S: Final = 30.0
_MOST_COUNT: Final = 2**53
_WANTED: Final = "what a merger's admin port answers at /seen, or what `lookbook drift --save` wrote"

Counts = dict[str, list[int]]


@dataclass(frozen=True)
class Measure:
    """One measure: what eval was like, and what was seen.

    Attributes:
        name: of it, such as ``article_type`` or ``brightness``.
        is_label: bins are labels; else ranges of a number, in ascending order.
        bins: their names.
        expected: pictures of eval in each.
        seen: pictures asked about in each.
        more_is_usual: whether the last bin is where nothing is ever strange.
    """

    name: str
    is_label: bool
    bins: tuple[str, ...]
    expected: tuple[int, ...]
    seen: tuple[int, ...]
    more_is_usual: bool


@dataclass(frozen=True)
class Seen:
    """The pictures of some hours by one release.

    Attributes:
        release: its version.
        hours: that are in it, oldest first, as ``2026-11-29T08:00:00Z``.
        mergers: how many told of them.
        pictures: how many.
        measures: of the release.
    """

    release: str
    hours: tuple[str, ...]
    mergers: int
    pictures: int
    measures: tuple[Measure, ...]


def read_sources(sources: Sequence[str]) -> dict[str, Any]:
    """All that these mergers and files tell, as one document; an hour of a merger that is told twice counts once.

    Args:
        sources: addresses of mergers' admin ports (``http://merger:9091``, ``merger:9091``), or files.

    Raises:
        RunError: one cannot be read, or tells something else.
    """
    mergers: dict[str, dict[str, Any]] = {}
    for source in sources:
        for merger in _mergers(source):
            known = mergers.setdefault(merger["instance"], {"instance": merger["instance"], "hours": [], "eval": {}})
            known["eval"] |= merger["eval"]
            known["hours"] = _later_of_each(known["hours"] + merger["hours"])
    return {"format": FORMAT, "mergers": list(mergers.values())}


def require_counts(file: Path) -> None:
    """Raises RunError where a file that is to be written is there already, and holds something else than counts."""
    if file.is_file() and file.stat().st_size:
        try:
            _mergers(str(file))
        except RunError as error:
            raise RunError(f"{error}: it is left as it is; give another --save") from error


def add_up(document: Mapping[str, Any], hours: int, release: str | None) -> Seen:
    """The newest hours by one release, over all mergers.

    Args:
        document: of :func:`read_sources`.
        hours: how many, ending with the newest hour with a picture.
        release: version; None for that of the newest hour.

    Raises:
        RunError: nothing was seen by it, or mergers tell different things of a release of one number.
    """
    rows = [(row["hour"], row["release"], row["counts"]) for merger in document["mergers"] for row in merger["hours"]]
    versions = {version for _, version, _ in rows}
    if not rows:
        raise RunError(
            "no picture was counted yet: ask the merger some. With a release from before there were eval histograms "
            "none is counted; a new run makes one that has them"
        )
    wanted = release or max(rows, key=lambda row: (row[0], int(row[1])))[1]
    kept = sorted({hour for hour, version, _ in rows if version == wanted})[-hours:]
    if not kept:
        raise RunError(f"no picture was counted by release {wanted}; there are counts of {', '.join(sorted(versions))}")
    expected = _expected(document["mergers"], wanted)
    counts = [counts for hour, version, counts in rows if version == wanted and hour in kept]
    measures = tuple(_measure(name, one, counts) for name, one in expected.items())
    tellers = sum(
        any(row["release"] == wanted and row["hour"] in kept for row in one["hours"]) for one in document["mergers"]
    )
    return Seen(wanted, tuple(kept), tellers, max((sum(one.seen) for one in measures), default=0), measures)


def _mergers(source: str) -> list[dict[str, Any]]:
    content = _read(source)
    try:
        document = parsed(content)  # bytes, of whatever encoding a shell wrote them in
        if document["format"] != FORMAT:
            raise RunError(f"{source} has format {document['format']!r}; this version reads {FORMAT}")
        for merger in document["mergers"]:
            _require_sound(merger)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RunError(f"{source} is not {_WANTED} ({type(error).__name__}: {error})") from error
    return list(document["mergers"])


def _require_sound(merger: Mapping[str, Any]) -> None:
    """Raises what :func:`_mergers` catches where the counts do not fit the bins."""
    if not isinstance(merger["instance"], str) or not isinstance(merger["hours"], list):
        raise TypeError("instance is no text, or hours are no list")
    for measures in merger["eval"].values():
        for bins in measures.values():
            _require_counts(bins["counts"], len(bins["bins"]))
            bool(bins["more_is_usual"]), {"label": 1, "number": 0}[bins["kind"]], "".join(bins["bins"]).encode()
    for row in merger["hours"]:
        if not isinstance(row["hour"], str) or int(row["release"]) < 1 or row["release"] not in merger["eval"]:
            raise ValueError(f"{row['hour']!r:.60} is no hour of a release, {row['release']!r:.60}, that eval tells of")
        for name, counts in row["counts"].items():
            _require_counts(counts, len(merger["eval"][row["release"]][name]["bins"]))


def _require_counts(counts: Sequence[int], bins: int) -> None:
    if len(counts) != bins or not all(type(count) is int and 0 <= count < _MOST_COUNT for count in counts):
        raise ValueError(f"{counts!r:.60} are not {bins} counts")


def _read(source: str) -> bytes:
    if Path(source).is_file():
        return Path(source).read_bytes()
    if Path(source).is_dir():
        raise RunError(f"{source} is a folder; give the file that `lookbook drift --save` wrote, or an address")
    url = source if is_url(source) else f"http://{source}"
    url = url if url.rstrip("/").endswith(PATH) else url.rstrip("/") + PATH
    try:
        # Inside the same network as a rule: no business of a proxy for the way out.
        return get(url, _PATIENCE_S, is_near=True)
    except OSError as error:
        words = f"{source} is no file, and no merger's admin port answers at {url} ({error})"
        raise RunError(words) from error


def _later_of_each(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each hour and release the row with the most pictures: counts of a merger only grow."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = row["hour"], row["release"]
        if key not in best or _pictures(row["counts"]) >= _pictures(best[key]["counts"]):
            best[key] = row
    return list(best.values())


def _pictures(counts: Counts) -> int:
    return max((sum(bins) for bins in counts.values()), default=0)


def _expected(mergers: Iterable[Mapping[str, Any]], release: str) -> dict[str, Any]:
    told = [merger["eval"][release] for merger in mergers if release in merger["eval"]]
    if any(one != told[0] for one in told):
        raise RunError(
            f"the mergers tell different eval histograms of release {release}: they answer from releases of different "
            "roots that have the same number; compare those of one root at a time"
        )
    return dict(told[0])


def _measure(name: str, expected: Mapping[str, Any], rows: Iterable[Counts]) -> Measure:
    none = [0] * len(expected["bins"])
    seen = tuple(map(sum, zip(none, *(row[name] for row in rows if name in row), strict=True)))
    return Measure(
        name,
        expected["kind"] == "label",
        tuple(expected["bins"]),
        tuple(expected["counts"]),
        seen,
        expected["more_is_usual"],
    )
