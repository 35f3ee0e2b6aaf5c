"""Catalogues made to hurt, through ``lookbook data check``: told in words, in bounded memory, and harmless to read."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.styles_example_gen.check import check_catalogue
from components.styles_example_gen.errors import CatalogueError
from components.styles_example_gen.page import render_page
from components.styles_example_gen.rows import parse_rows
from schema import names
from tests.drawing import product, write_catalogue
from tests.hardening.promises import Promises
from tests.hardening.serving.hostile import png_bomb

REPOSITORY = Path(__file__).parents[3]
HEADER = ",".join((*names.REQUIRED_COLUMNS, names.PRODUCT_NAME))
ROW = "1,Shirts,Topwear,Apparel,Plain shirt"
MOST_MB = 1_000
CELLS = st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=7), max_size=8)
CHECK = """\
import resource, sys
from pipeline.runner import main
sys.argv[:1] = ["lookbook", "data", "check"]
try:
    main()
finally:
    print("RSS", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def check(path: Path) -> tuple[int, str, int]:
    """Exit code, what was said, and the most megabytes that it took."""
    command = [sys.executable, "-c", CHECK, str(path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    said, _, rss = done.stderr.rpartition("RSS ")
    return done.returncode, done.stdout + said, int(rss)


def write(folder: Path, content: bytes) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "styles.csv").write_bytes(content)
    return folder


def zip_slip(folder: Path) -> Path:
    path = folder / "slip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("styles.csv", f"{HEADER}\n{ROW}\n")
        archive.writestr("images/../../../escaped.jpg", b"x")
    return path


def zip_bomb(folder: Path) -> Path:
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("images/1.jpg", b"x")
        archive.writestr("styles.csv", bytes(600 * 2**20))
    return path


def large_cell(folder: Path) -> Path:
    return write(folder / "cell", f"{HEADER}\n{ROW}{'x' * 10_000_000}\n".encode())


def nul_bytes(folder: Path) -> Path:
    return write(folder / "nul", f"{HEADER}\n1,Shi\0rts,Topwear,Apparel,x\n".encode())


def pixel_bomb(folder: Path) -> Path:
    path = write(folder / "pixels", f"{HEADER}\n{ROW}\n".encode())
    (path / "images" / "1.png").write_bytes(png_bomb())
    return path


def id_that_is_a_path(folder: Path) -> Path:
    (folder / "secret.jpg").write_bytes(b"x")
    return write(folder / "path", f"{HEADER}\n../../secret,Shirts,Topwear,Apparel,x\n".encode())


CASES = {
    zip_slip: "escaped.jpg",
    zip_bomb: "styles.csv",
    large_cell: "field larger than field limit",
    nul_bytes: "NUL byte in line 2",
    pixel_bomb: "1.png",
    id_that_is_a_path: "../../secret",
}


@pytest.mark.slow
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_hostile_catalogue(promise: Promises, tmp_path: Path, make) -> None:
    """Each is told with what is wrong and where, without a traceback, and fills no memory."""
    with promise(f"catalogue: {make.__name__}", f"exit 1, {CASES[make]!r} named, under {MOST_MB} MB") as row:
        code, said, megabytes = check(make(tmp_path))
        row.seen = f"exit {code}, {megabytes} MB"
        assert code == 1 and CASES[make] in said and "Traceback" not in said
        assert megabytes < MOST_MB
        assert not list(tmp_path.parent.glob("**/escaped.jpg"))


def test_hostile_names(promise: Promises, tmp_path: Path) -> None:
    """Names with markup, formulas, emoji and right-to-left marks are data: the report's page runs none of them."""
    hostile = ["<script>alert(1)</script>", '=HYPERLINK("http://x")', "حذاء \u202e رياضي", "👟" * 50, "a\u0000b"[:1]]
    with promise("catalogue: hostile names", "taken as they are, escaped in the report") as row:
        rows = [product(str(number), number) for number in range(len(hostile))]
        for one, name in zip(rows, hostile, strict=True):
            one[names.PRODUCT_NAME] = name
            one[names.MASTER_CATEGORY_LABEL] = name
        rows[0][names.YEAR] = hostile[0]
        report = check_catalogue(write_catalogue(tmp_path / "names", rows))
        page = render_page(report, "names")
        row.seen = f"{len(rows)} rows taken, page of {len(page):,} characters"
        assert "<script>alert" not in page and "&lt;script&gt;" in page


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=7), max_size=8), st.sampled_from(["\n", "\r\n", "\r"])
)
def test_any_rows_are_taken_or_told(cells: list[list[str]], end: str) -> None:
    """Whatever text stands below a right header, a line is taken, rejected with its line, or the file is refused."""
    content = end.join([HEADER, *(",".join(row) for row in cells)]).encode("utf-8", "surrogatepass")
    try:
        rows = parse_rows(content)
    except CatalogueError as refusal:
        assert str(refusal)
        return
    lines = [row.line for row in rows.taken] + [finding.line for finding in rows.rejected]
    assert len(set(lines)) == len(lines) and min(lines) > 1
    assert len({row.id for row in rows.taken}) == len(rows.taken)
    assert all(row.cells[label] for row in rows.taken for label in names.LABELS)
