"""Catalogues that mean harm: a report or an error in words, memory within bounds, and no crash."""

import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.fingerprint import fingerprint
from components.catalogue.reading.source import Catalogue, FileTooLarge, open_catalogue
from components.catalogue.report.check import check_catalogue
from components.catalogue.report.page import render_page
from components.errors import WeightsError
from components.model.torch_weights import read_state_dict
from schema import names
from tests.components.model.test_torch_weights import checkpoint, opcode_global, tensor_opcodes
from tests.drawing import csv_text, encoded, pixels, product, write_catalogue, zipped
from tests.hardening.pipeline.measured import Ended, lookbook

GOOD_ROWS = 60
MOST_MIB = 1500  # TensorFlow alone takes about 700 of them


def rows(**changes: str) -> list[dict[str, str]]:
    """Good rows, and one more, ``evil``, with ``changes``."""
    return [product(str(number), number) for number in range(GOOD_ROWS)] + [product("evil", **changes)]


def check(path: Path, *more: object) -> Ended:
    return lookbook("data", "check", path, "--trial", *more, log=path.parent / "check.log")


def assert_in_words(ended: Ended, code: int, *words: str) -> str:
    assert ended.code == code, ended.output[-2000:]
    assert "Traceback" not in ended.output
    assert all(word in ended.output for word in words), ended.output[-2000:]
    assert ended.peak_mib < MOST_MIB
    return f"exit code {ended.code}, {ended.peak_mib} MiB"


def slip(folder: Path, target: Path) -> None:
    zipped(folder, target)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("../../slipped.txt", "out of the archive")


def bomb(folder: Path, target: Path) -> None:
    """Truly packed zeros, not only a claim: 1.1 GiB in 1.1 MB."""
    zipped(folder, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("images/x.jpg", "w") as file:
        for _ in range(1100):
            file.write(bytes(1 << 20))


@pytest.mark.parametrize(("make", "says"), [(slip, "points outside"), (bomb, "zip bomb")])
def test_a_hostile_zip_is_refused(promise, tmp_path: Path, make: Callable[[Path, Path], None], says: str) -> None:
    """A zip that would write elsewhere or fill the disk is refused by the command, and nothing of it is unpacked."""
    folder = write_catalogue(tmp_path / "data", rows())
    make(folder, tmp_path / "evil.zip")
    before = sorted(tmp_path.parent.rglob("*"))
    with promise(f"pipeline: zip {make.__name__}", "refused in words, bounded memory") as row:
        row.seen = assert_in_words(check(tmp_path / "evil.zip"), 1, "evil.zip", says, "not read")
        assert set(tmp_path.parent.rglob("*")) - set(before) <= {tmp_path / "check.log"}


def test_a_picture_that_lies_about_its_size_in_a_zip_is_one_row(promise, tmp_path: Path) -> None:
    """A zip entry that claims to be small and unpacks to a gigabyte costs its row and no memory."""
    folder = write_catalogue(tmp_path / "data", rows())
    target = tmp_path / "evil.zip"
    zipped(folder, target)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = b"".join(packed.compress(bytes(1 << 20)) for _ in range(1000)) + packed.flush()
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images/liar.jpg", content, zipfile.ZIP_STORED)
    _claim(target, b"images/liar.jpg", 1000, len(content))
    (folder / names.STYLES_CSV).write_text(csv_text([*rows(), product("liar")]))
    _replace_csv(target, folder / names.STYLES_CSV)
    with promise("pipeline: zip entry that lies", "one rejected row, bounded memory") as row:
        row.seen = assert_in_words(check(target, "--max-bad", 0.1), 0, "'liar'")


def _claim(path: Path, name: bytes, size: int, packed: int) -> None:
    """Says in both headers of an entry that it is deflated and unpacks to ``size`` bytes."""
    content = bytearray(path.read_bytes())
    for signature, method, sizes, at in ((b"PK\3\4", 8, 18, 30), (b"PK\1\2", 10, 20, 46)):
        start = content.find(name)
        while content[start - at : start - at + 4] != signature:
            start = content.find(name, start + 1)
        struct.pack_into("<H", content, start - at + method, zipfile.ZIP_DEFLATED)
        struct.pack_into("<II", content, start - at + sizes, packed, size)
    path.write_bytes(content)


def _replace_csv(path: Path, styles: Path) -> None:
    """The newest entry of a name is the one that counts."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.write(styles, names.STYLES_CSV)


def test_a_damaged_zip_raises_nothing_but_its_own_errors(promise, tmp_path: Path) -> None:
    """Bytes of a zip that were changed at random are refused in words, or cost the files that they belong to."""
    whole = zipped(write_catalogue(tmp_path / "data", rows()[:3]), tmp_path / "whole.zip").read_bytes()
    random, seen = Random(7), Counter()
    with promise("pipeline: zip with random damage", "CatalogueError, or files that cannot be read") as row:
        for _ in range(2000):
            (tmp_path / "damaged.zip").write_bytes(_damaged(whole, random))
            seen.update(_outcomes(tmp_path / "damaged.zip"))
        row.seen = f"2,000 zips: {', '.join(f'{count} {kind}' for kind, count in sorted(seen.items()))}"


def _outcomes(path: Path) -> Iterator[str]:
    """What became of the zip and of each picture of it; any error that is not its own goes through."""
    try:
        fingerprint(path)
        catalogue = open_catalogue(path)
        catalogue.styles()
    except CatalogueError:
        yield "zips refused"
        return
    yield from (f"pictures {_read(catalogue, name)}" for name in catalogue.images.values())


def _read(catalogue: Catalogue, name: str) -> str:
    try:
        catalogue.read(name)
    except (FileTooLarge, OSError, zipfile.BadZipFile):
        return "unreadable"
    return "read"


def _damaged(whole: bytes, random: Random) -> bytes:
    content = bytearray(whole)
    for _ in range(random.randint(1, 8)):
        content[random.randrange(len(content))] = random.randrange(256)
    # Headers are few bytes of a zip, and what most can go wrong with.
    for signature in (b"PK\1\2", b"PK\3\4", b"PK\5\6"):
        at = content.find(signature)
        if at >= 0 and random.random() < 0.5:
            content[min(at + random.randint(4, 40), len(content) - 1)] = random.randrange(256)
    return bytes(content[: random.randint(1, len(content))] if random.random() < 0.1 else content)


def test_nul_bytes_are_refused(promise, tmp_path: Path) -> None:
    """A styles.csv with a NUL byte is refused with the line it is in."""
    folder = write_catalogue(tmp_path / "data", rows())
    styles = folder / names.STYLES_CSV
    styles.write_bytes(styles.read_bytes().replace(b"Product evil", b"Product\0evil"))
    with promise("pipeline: NUL byte in styles.csv", "refused in words") as row:
        row.seen = assert_in_words(check(folder), 1, "NUL byte in line 62")


def test_a_cell_of_ten_megabytes_costs_its_row(promise, tmp_path: Path) -> None:
    """One monstrous cell is one rejected row; the report does not repeat it."""
    folder = write_catalogue(tmp_path / "data", rows(productDisplayName="x" * 10_000_000))
    with promise("pipeline: cell of 10 MB", "one rejected row, bounded memory and report") as row:
        ended = check(folder, "--max-bad", 0.1)
        row.seen = f"{assert_in_words(ended, 0, 'unreadable row')}, {len(ended.output):,} characters of report"
        assert len(ended.output) < 10_000


def huge_png(side: int = 30_000) -> bytes:
    """A true PNG of 900 megapixels, one bit each: about 100 kB, and 2.7 GB when it is decoded to RGB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = bytes(1 + side // 8)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(row * side, 9))
        + chunk(b"IEND", b"")
    )


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
PICTURES = {
    "svg": (lambda: SVG, "undecodable image"),
    "truncated": (lambda: encoded(pixels(1, (600, 800)))[:900], "undecodable image"),
    "900 megapixels": (huge_png, "image too large"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_hostile_picture_costs_its_row(promise, tmp_path: Path, kind: str) -> None:
    """A picture that is none, is cut, or would fill the memory is one rejected row with its reason."""
    make, reason = PICTURES[kind]
    content = make()
    folder = write_catalogue(tmp_path / "data", rows(), {"evil.jpg": content})
    with promise(f"pipeline: picture {kind}", "one rejected row, bounded memory") as row:
        seen = assert_in_words(check(folder, "--max-bad", 0.1), 0, "'evil'", reason)
        row.seen = f"{len(content):,} bytes: {seen}"


MARKUP = '</td><script>alert("1")</script><img src=x onerror=alert(2)>'


def test_report_pages_escape_whatever_cells_hold(promise, tmp_path: Path) -> None:
    """Markup in names, labels, columns, ids and file names is shown on the report's page, and never part of it."""
    evil = {names.PRODUCT_NAME: f"{MARKUP}, unquoted", names.ARTICLE_TYPE_LABEL: MARKUP, names.YEAR: MARKUP}
    listed = [{**one, MARKUP: ""} for one in rows(**evil)]
    listed.append({**product("<b>id</b>"), names.ARTICLE_TYPE_LABEL: "", MARKUP: ""})
    folder = write_catalogue(tmp_path / "data", listed[:-1], {"<img onerror=1>.jpg": b"spare"})
    (folder / names.STYLES_CSV).write_text(csv_text(listed))
    with promise("pipeline: markup in cells", "escaped on the report's page") as row:
        page = render_page(check_catalogue(folder), open_catalogue(folder))
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "<img onerror" not in page
        assert "<b>id" not in page
        row.seen = f"{page.count('&lt;script')} places escaped"
        assert "&lt;script" in page


FOREIGN = (
    "قميص أزرق",
    "\u202egnp.exe\u202c shirt",
    "👗✨ dress",
    "Ａ\u0301\u200d",
    "=HYPERLINK(1)",
    "-2+3",
    "@SUM(A1)",
)


def test_any_script_and_formula_passes_as_text(promise, tmp_path: Path) -> None:
    """Right-to-left names, emoji and formulas are taken letter by letter, and shown by the command without a crash."""
    listed = rows() + [product(f"f{at}", **{names.PRODUCT_NAME: text}) for at, text in enumerate(FOREIGN)]
    listed += [product(text, **{names.ARTICLE_TYPE_LABEL: text}) for text in ("👗", "=1+1", "قميص")]
    folder = write_catalogue(tmp_path / "data", listed)
    with promise("pipeline: foreign scripts and formulas", "taken as the text they are") as row:
        ended = check(folder, "--json")
        seen = assert_in_words(ended, 0)
        report, _ = json.JSONDecoder().raw_decode(ended.output[ended.output.index("{") :])
        assert report["taken"] == len(listed)
        assert {"👗", "=1+1", "قميص"} <= set(report["labels"][names.ARTICLE_TYPE_LABEL])
        row.seen = f"{report['taken']} of {len(listed)} rows taken; {seen}"


def nested() -> bytes:
    """A pickle so deep that printing or comparing what it makes would exhaust the stack."""
    return b"\x80\x02" + b"(" * 200_000 + b"t" * 200_000 + b"."


def huge_length() -> bytes:
    return b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"."


def long_storage() -> bytes:
    whole = checkpoint({"weight": tensor_opcodes("1", 2**31 - 1, 0, (3,), (1,))}, {"1": range(3)})
    return whole[: -8 - 12] + struct.pack("<Q", 2**31 - 1) + whole[-12:]


def called_tensor() -> bytes:
    """Calls what is admitted, with arguments that it does not take."""
    return checkpoint({"weight": opcode_global("torch._utils", "_rebuild_tensor_v2") + b")R"}, {})


@pytest.mark.parametrize("make", [nested, huge_length, long_storage, called_tensor])
def test_a_hostile_pickle_is_refused_in_words(promise, tmp_path: Path, make: Callable[[], bytes]) -> None:
    """A checkpoint that claims more than it holds, or digs deep, is a WeightsError and takes no memory."""
    path = tmp_path / "weights.pth"
    path.write_bytes(make())
    with promise(f"pipeline: pickle {make.__name__}", "WeightsError") as row:
        with pytest.raises(WeightsError, match=r"weights\.pth") as caught:
            read_state_dict(path)
        row.seen = str(caught.value).rpartition("/")[2][:120]
