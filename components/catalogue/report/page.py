"""The report as words for a terminal and as a page for a browser; both name everything that needs a person's eye."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from PIL import Image

from components.catalogue.reading.findings import Finding
from components.catalogue.reading.pictures import load_picture
from components.catalogue.reading.source import Catalogue
from components.catalogue.report.report import Report
from schema import names

LINES_OF_A_LIST: Final = 20
ROWS_OF_A_TABLE: Final = 1000
SETS_SHOWN: Final = 40
PICTURES_OF_A_SET: Final = 8
SHOWN_SIZE: Final = (90, 80)  # at most; pixels

STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.15rem .8rem .15rem 0;text-align:left}
th{border-bottom:1px solid #999}td.n{text-align:right}.bar{background:#5b8def;height:.7rem;display:inline-block}
img{height:80px;border:1px solid #ddd;margin:0 .3rem .3rem 0}.none{color:#666}
"""


def render_text(report: Report) -> str:
    """A page of the terminal: numbers first, then what is wrong, then what is odd."""
    return "\n".join(_text_lines(report))


def render_page(report: Report, catalogue: Catalogue) -> str:
    """One HTML file that needs nothing else; pictures of doubtful rows are taken from ``catalogue``."""
    body = "\n".join(_sections(report, catalogue))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Catalogue report</title><style>{STYLE}</style>'
        f"<h1>Catalogue report</h1>\n{body}</html>\n"
    )


def summary(report: Report) -> list[tuple[str, str]]:
    """The numbers at the top of either form."""
    return [
        ("catalogue", report.source),
        ("rows taken", f"{report.taken:,} of {report.rows:,}"),
        ("splits", f"{', '.join(f'{split} {rows:,}' for split, rows in report.splits.items())}; by {report.split_by}"),
        ("labels", ", ".join(f"{len(of)} of {column}" for column, of in report.labels.items())),
        ("groups", f"{report.groups:,} of rows with the same name or (nearly) the same pixels"),
        ("near-duplicates", f"{sum(map(len, report.near_duplicates)):,} rows in {len(report.near_duplicates):,} sets"),
    ]


def remarks(report: Report) -> list[tuple[str, list[str]]]:
    """What a person should know, as a heading and a line for each case; headings without cases are left out."""
    found = [
        ("Images without a row", list(report.images_without_row)),
        ("Columns that are not used", list(report.ignored_columns)),
        (
            "Near-duplicates that disagree on the article type",
            [", ".join(ids) for ids in report.disagreeing_duplicates],
        ),
        ("Pictures that show next to nothing", list(report.blank_images)),
        ("Article types under more than one parent", [_parents(item) for item in report.two_parents.items()]),
        ("Labels with few rows", [_labels(item) for item in report.tiny_classes.items() if item[1]]),
        (
            "Labels that the training split lacks",
            [f"{column}: {', '.join(labels)}" for column, labels in report.not_in_training.items() if labels],
        ),
        ("Groups that the splits tear apart", list(report.straddling_groups)),
    ]
    return [(heading, cases) for heading, cases in found if cases]


def _text_lines(report: Report) -> Iterator[str]:
    for name, value in summary(report):
        yield f"{name:<16} {value}"
    for heading, findings in (("Rejected rows", report.rejected), ("Repaired rows", report.repaired)):
        yield from _text_list(f"{heading}: {len(findings):,}{_reasons(findings)}", [_finding(one) for one in findings])
    for heading, cases in remarks(report):
        yield from _text_list(f"{heading}: {len(cases):,}", cases)


def _text_list(heading: str, cases: Sequence[str]) -> Iterator[str]:
    yield f"\n{heading}"
    yield from (f"  {case}" for case in cases[:LINES_OF_A_LIST])
    if len(cases) > LINES_OF_A_LIST:
        yield f"  … and {len(cases) - LINES_OF_A_LIST:,} more"


def _reasons(findings: Iterable[Finding]) -> str:
    counts = Counter(finding.reason.value for finding in findings).most_common()
    return f" ({', '.join(f'{count:,} × {reason}' for reason, count in counts)})" if counts else ""


def _finding(finding: Finding) -> str:
    return f"line {finding.line}, id {finding.id!r}: {finding.reason.value}: {finding.detail}"


def _parents(item: tuple[str, dict[str, int]]) -> str:
    return f"{item[0]}: {', '.join(f'{path} ({rows:,})' for path, rows in item[1].items())}"


def _labels(item: tuple[str, dict[str, int]]) -> str:
    return f"{item[0]}: {', '.join(f'{label} ({rows})' for label, rows in item[1].items())}"


def _sections(report: Report, catalogue: Catalogue) -> Iterator[str]:
    yield _table((), summary(report))
    for heading, findings in (("Rejected rows", report.rejected), ("Repaired rows", report.repaired)):
        yield f"<h2>{heading}: {len(findings):,}</h2>"
        rows = [(str(one.line), one.id, one.reason.value, one.detail) for one in findings]
        yield _table(("line", "id", "reason", "particulars"), rows)
    for heading, cases in remarks(report):
        yield f"<h2>{escape(heading)}: {len(cases):,}</h2>"
        yield _table((), [(case,) for case in cases])
    yield "<h2>Near-duplicates that disagree, and the largest sets</h2>"
    largest = sorted(report.near_duplicates, key=len, reverse=True)[:SETS_SHOWN]
    for ids in dict.fromkeys([*report.disagreeing_duplicates[:SETS_SHOWN], *largest]):
        yield f"<p>{''.join(_image(catalogue, one) for one in ids[:PICTURES_OF_A_SET])}<br>{escape(', '.join(ids))}</p>"
    for column, labels in report.labels.items():
        yield f"<h2>{escape(column)}: {len(labels)} labels</h2>{_bars(labels)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return '<p class="none">none</p>'
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[:ROWS_OF_A_TABLE])
    more = f"<p>… and {len(rows) - ROWS_OF_A_TABLE:,} more, in report.json</p>" if len(rows) > ROWS_OF_A_TABLE else ""
    return f"<table><tr>{head}</tr>{body}</table>{more}"


def _bars(labels: dict[str, dict[str, int]]) -> str:
    largest = max(sum(of.values()) for of in labels.values())
    head = "".join(f"<th>{cell}</th>" for cell in ("label", *names.SPLITS, ""))
    body = "".join(
        f"<tr><td>{escape(label)}</td>{''.join(f'<td class=n>{of[split]:,}</td>' for split in names.SPLITS)}"
        f'<td><span class="bar" style="width:{20 * sum(of.values()) / largest:.2f}rem"></span></td></tr>'
        for label, of in labels.items()
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _image(catalogue: Catalogue, row_id: str) -> str:
    with Image.open(io.BytesIO(load_picture(catalogue, row_id).content)) as image:
        small = image.convert("RGB")
    small.thumbnail(SHOWN_SIZE)
    encoded = io.BytesIO()
    small.save(encoded, "JPEG")
    return f'<img alt="{escape(row_id)}" src="data:image/jpeg;base64,{base64.b64encode(encoded.getvalue()).decode()}">'
