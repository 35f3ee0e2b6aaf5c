"""The report as words for a terminal and as a page for a browser; both name everything that needs a person's eye."""

import io
from collections.abc import Iterator, Sequence
from typing import Final

from PIL import Image

from components.catalogue.reading.findings import Finding
from components.catalogue.reading.pictures import load_picture
from components.catalogue.reading.source import Catalogue
from components.catalogue.report.report import Report
from components.html_page import render_html
from schema import names

LINES_OF_A_LIST: Final = 20
ROWS_OF_A_TABLE: Final = 1000
SETS_SHOWN: Final = 40
TYPES_SHOWN: Final = 200
PICTURES_OF_A_SET: Final = 8
SHOWN_SIZE: Final = (90, 80)  # at most; pixels


def render_text(report: Report) -> str:
    """A page of the terminal: numbers first, then what is wrong, then what is odd."""
    return "\n".join(_text_lines(report))


def render_page(report: Report, catalogue: Catalogue) -> str:
    """One HTML file that needs nothing else; pictures of doubtful rows are taken from ``catalogue``."""
    shown = list(report.labels[names.ARTICLE_TYPE_LABEL])[:TYPES_SHOWN]
    return render_html(
        __package__,
        "page.html",
        summary=summary(report),
        findings=[(heading, [_cells(one) for one in found], count) for heading, found, count in _findings(report)],
        remarks=remarks(report),
        duplicates=[(ids, _thumbnails(catalogue, ids)) for ids in _shown_duplicates(report)],
        samples=[(label, _thumbnails(catalogue, report.samples[label])) for label in shown],
        labels={column: _bars(labels) for column, labels in report.labels.items()},
        splits=names.SPLITS,
        rows_of_a_table=ROWS_OF_A_TABLE,
    )


def summary(report: Report) -> list[tuple[str, str]]:
    """The numbers at the top of either form."""
    return [
        ("catalogue", report.source),
        ("rows taken", f"{report.taken:,} of {report.rows:,}"),
        ("splits", f"{', '.join(f'{split} {rows:,}' for split, rows in report.splits.items())}; by {report.split_by}"),
        ("labels", ", ".join(f"{len(of)} of {column}" for column, of in report.labels.items())),
        ("groups", f"{report.groups:,} of rows with the same name or (nearly) the same pixels"),
        ("near-duplicates", f"{report.rows_of['near_duplicates']:,} rows in {report.counts['near_duplicates']:,} sets"),
    ]


def remarks(report: Report) -> list[tuple[str, list[str], int]]:
    """What a person should know: a heading, a line for each of the first cases, and how many cases there are.

    Headings without cases are left out.
    """
    listed = [
        ("Images without a row", "images_without_row", list(report.images_without_row)),
        (
            "Near-duplicates that disagree on the article type",
            "disagreeing_duplicates",
            [", ".join(ids) for ids in report.disagreeing_duplicates],
        ),
        (
            "Products of one name with several article types",
            "disagreeing_names",
            [_labels(one) for one in report.disagreeing_names.items()],
        ),
        ("Pictures that show next to nothing", "blank_images", list(report.blank_images)),
        ("Groups that the splits tear apart", "straddling_groups", list(report.straddling_groups)),
    ]
    whole = [
        ("Columns that are not used", list(report.ignored_columns)),
        ("Read otherwise than it is written", list(map(str, report.changes))),
        ("Labels that differ in case or punctuation alone", list(_twins(report))),
        ("Article types under more than one parent", [_parents(item) for item in report.two_parents.items()]),
        ("Labels with few rows", [_labels(item) for item in report.tiny_classes.items() if item[1]]),
        (
            "Labels that the training split lacks",
            [f"{column}: {', '.join(labels)}" for column, labels in report.not_in_training.items() if labels],
        ),
    ]
    found = [(heading, cases, report.counts[name]) for heading, name, cases in listed]
    found += [(heading, cases, len(cases)) for heading, cases in whole]
    return [one for one in found if one[2]]


def _text_lines(report: Report) -> Iterator[str]:
    for name, value in summary(report):
        yield f"{name:<16} {value}"
    for heading, findings, count in _findings(report):
        yield from _text_list(
            f"{heading}: {count:,}{_reasons(report, heading)}", [_finding(one) for one in findings], count
        )
    for heading, cases, count in remarks(report):
        yield from _text_list(f"{heading}: {count:,}", cases, count)


def _text_list(heading: str, cases: Sequence[str], count: int) -> Iterator[str]:
    yield f"\n{heading}"
    yield from (f"  {case}" for case in cases[:LINES_OF_A_LIST])
    if count > LINES_OF_A_LIST:
        yield f"  … and {count - LINES_OF_A_LIST:,} more"


def _reasons(report: Report, heading: str) -> str:
    reasons = report.reasons[heading.split()[0].lower()]
    return f" ({', '.join(f'{count:,} × {reason}' for reason, count in reasons.items())})" if reasons else ""


def _finding(finding: Finding) -> str:
    return f"line {finding.line}, id {finding.id!r}: {finding.reason.value}: {finding.detail}"


def _parents(item: tuple[str, dict[str, int]]) -> str:
    return f"{item[0]}: {', '.join(f'{path} ({rows:,})' for path, rows in item[1].items())}"


def _twins(report: Report) -> Iterator[str]:
    for column, sets in report.twins.items():
        for labels in sets:
            yield f"{column}: {', '.join(f'{label} ({rows:,})' for label, rows in labels.items())}"


def _labels(item: tuple[str, dict[str, int]]) -> str:
    return f"{item[0]}: {', '.join(f'{label} ({rows})' for label, rows in item[1].items())}"


def _findings(report: Report) -> list[tuple[str, tuple[Finding, ...], int]]:
    return [
        (f"{name.capitalize()} rows", getattr(report, name), report.counts[name]) for name in ("rejected", "repaired")
    ]


def _cells(finding: Finding) -> tuple[str, ...]:
    return str(finding.line), finding.id, finding.reason.value, finding.detail


def _bars(labels: dict[str, dict[str, int]]) -> list[tuple[str, list[int], float]]:
    """Of each label its name, its rows split by split, and its share of the most frequent one's rows."""
    largest = max((sum(of.values()) for of in labels.values()), default=1)
    return [(label, [of[split] for split in names.SPLITS], sum(of.values()) / largest) for label, of in labels.items()]


def _shown_duplicates(report: Report) -> list[tuple[str, ...]]:
    largest = sorted(report.near_duplicates, key=len, reverse=True)[:SETS_SHOWN]
    return list(dict.fromkeys([*report.disagreeing_duplicates[:SETS_SHOWN], *largest]))


def _thumbnails(catalogue: Catalogue, ids: Sequence[str]) -> dict[str, bytes]:
    return {one: _thumbnail(catalogue, one) for one in ids[:PICTURES_OF_A_SET]}


def _thumbnail(catalogue: Catalogue, row_id: str) -> bytes:
    """A small JPEG of a row's picture."""
    with Image.open(io.BytesIO(load_picture(catalogue, row_id).content)) as image:
        small = image.convert("RGB")
    small.thumbnail(SHOWN_SIZE)
    encoded = io.BytesIO()
    small.save(encoded, "JPEG")
    return encoded.getvalue()
