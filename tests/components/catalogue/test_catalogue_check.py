"""Looking a catalogue over before any training, and reading it picture by picture."""

import json
from pathlib import Path

import pytest

from components.catalogue.example_gen.stream import LabelledPictures
from components.catalogue.reading.findings import Reason
from components.catalogue.reading.source import open_catalogue
from components.catalogue.report.check import check_catalogue
from components.catalogue.report.page import render_page, render_text
from components.catalogue.report.report import Report
from schema import heads as table
from schema import names
from tests.drawing import encoded, pixels, product, retouched, write_catalogue, zipped


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty products with one fault of each sort."""
    rows = [product(str(number), number) for number in range(40)]
    rows[1][names.MASTER_CATEGORY_LABEL] = ""
    rows[2][names.SUB_CATEGORY_LABEL] = "Elsewhere"
    rows[3][names.YEAR] = "<b>soon</b>"
    rows[8][names.YEAR] = "never"
    images = {
        "4.jpg": encoded(pixels(4), "ICO"),
        "6.jpg": encoded(retouched(pixels(5))),
        "7.png": b"",
        "8.jpg": b"",
    }
    directory = write_catalogue(tmp_path_factory.mktemp("catalogue"), rows, images)
    (directory / "images" / "9.jpg").unlink()
    return directory


@pytest.fixture(scope="module")
def report(catalogue: Path) -> Report:
    return check_catalogue(catalogue)


def test_every_row_is_taken_or_named(report: Report) -> None:
    """Rows taken and rows named add up to all rows; a row that is not taken is not called mended too."""
    assert [(one.id, one.line, one.reason) for one in report.rejected] == [
        ("1", 3, Reason.EMPTY_LABEL),
        ("4", 6, Reason.UNSUPPORTED_IMAGE),
        ("8", 10, Reason.UNDECODABLE_IMAGE),
        ("9", 11, Reason.MISSING_IMAGE),
    ]
    assert (report.rows, report.taken) == (40, 36)
    assert [(one.id, one.reason) for one in report.repaired] == [("3", Reason.BAD_YEAR)]
    assert report.images_without_row == ("images/7.png",)


def test_labels_are_counted_by_split(report: Report) -> None:
    """The counts of each label add up to the rows taken, and of each split to its rows."""
    for of in report.labels.values():
        assert sum(sum(counts.values()) for counts in of.values()) == 36
        for split in names.SPLITS:
            assert sum(counts[split] for counts in of.values()) == report.splits[split]


def test_oddities_are_told(report: Report) -> None:
    """Twins that disagree, types under two parents and tiny classes are a person's business before training."""
    assert report.near_duplicates == (("5", "6"),)
    assert report.disagreeing_duplicates == (("5", "6"),)
    assert report.two_parents == {"Heels": {"Footwear / Shoes": 11, "Footwear / Elsewhere": 1}}
    assert report.disagreeing_names == {}
    assert report.tiny_classes[names.SUB_CATEGORY_LABEL] == {"Elsewhere": 1}


def test_a_zip_has_the_same_report(catalogue: Path, report: Report, tmp_path: Path) -> None:
    """Packing changes where a catalogue lies, and nothing else."""
    packed = check_catalogue(zipped(catalogue, tmp_path / "c.zip"))
    ignored = ("source", "fingerprint")
    assert {k: v for k, v in packed.as_json().items() if k not in ignored} == {
        k: v for k, v in report.as_json().items() if k not in ignored
    }


def test_the_report_survives_json(report: Report) -> None:
    """What a machine reads is the whole report."""
    assert Report.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_words_and_page_name_every_fault(report: Report, catalogue: Path) -> None:
    """A person sees each rejected row with its reason; text from the catalogue is never markup."""
    words, page = render_text(report), render_page(report, open_catalogue(catalogue))
    for finding in report.rejected:
        assert f"line {finding.line}, id {finding.id!r}: {finding.reason.value}" in words
        assert f"<td>{finding.line}</td><td>{finding.id}</td><td>{finding.reason.value}</td>" in page
    assert "36 of 40" in words
    assert "images/7.png" in words
    assert "&lt;b&gt;soon" in page
    assert "<b>soon" not in page
    shown = sum(map(len, report.samples.values()))
    assert page.count("<img") == 2 + shown
    assert report.samples.keys() == report.labels[names.ARTICLE_TYPE_LABEL].keys()
    assert shown >= 2 * len(report.samples)


def test_one_name_with_two_types_is_told(tmp_path: Path) -> None:
    """The same product under two article types is most likely a mistake in the sheet."""
    rows = [product(str(number), number % 2, productDisplayName="Chair") for number in range(3)]
    found = check_catalogue(write_catalogue(tmp_path, [*rows, product("9")]))
    assert list(found.disagreeing_names) == ["Chair"]
    assert sorted(found.disagreeing_names["Chair"].values()) == [1, 2]
    assert "Products of one name with several article types: 1\n  Chair: " in render_text(found)


def test_a_page_of_nothing(tmp_path: Path) -> None:
    """A catalogue without one usable row has a page too, which says why."""
    path = write_catalogue(tmp_path, [product("1", articleType="")])
    assert "empty label" in render_page(check_catalogue(path), open_catalogue(path))


def test_progress_counts_every_row_that_was_looked_at(catalogue: Path) -> None:
    """A bar that is fed from this ends at its end."""
    seen: list[int] = []
    check_catalogue(catalogue, progress=seen.append)
    assert sum(seen) == 39  # one row was rejected before its picture was wanted


def test_pictures_stream_with_their_labels(catalogue: Path) -> None:
    """Whoever scores a model gets the rows an import would take; undecodable ones are passed over by name."""
    pictures = LabelledPictures(catalogue)
    assert len(pictures) == 39
    found = {picture.id: picture for picture in pictures}
    assert set(found) == {str(number) for number in range(40)} - {"1", "4", "8", "9"}
    assert found["0"].labels == {column: product("0")[column] for column in table.columns(table.HEADS)}
    assert found["0"].image == (catalogue / "images" / "0.jpg").read_bytes()
    assert sorted(one.id for one in pictures.rejected) == ["1", "4", "8", "9"]


def test_a_second_pass_repeats_the_first(catalogue: Path) -> None:
    """Reading again gives the same pictures and does not count the rejected twice."""
    pictures = LabelledPictures(catalogue, limit=20)
    assert [one.id for one in pictures] == [one.id for one in pictures]
    assert len(pictures.rejected) + len(list(pictures)) == 20
