"""Decisions of people travel as files: nothing of them is lost, and nothing is made up."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from schema.corrections import (
    ACCEPTED,
    AUDIT,
    CORRECTIONS_CSV,
    NEW_LABEL,
    UNKNOWN,
    Correction,
    CorrectionsError,
    now,
    parse_corrections,
    picture_name,
    read_corrections,
    read_picture,
    write_corrections,
)

SHOE = b"a picture of a shoe"
SHA = hashlib.sha256(SHOE).hexdigest()
PATH = {"master_category": "Footwear", "sub_category": "Shoes", "article_type": "Heels"}
FULL = Correction(
    sha256=SHA,
    picture=picture_name(SHA, "JPG"),
    id="10001",
    labels=PATH,
    attributes={"baseColour": "Red"},
    answered="Footwear / Shoes / Flats",
    by="anna",
    at="2026-11-29T03:00:00+00:00",
    release="4",
)
HEADER = "sha256,picture,id,master_category,sub_category,article_type,decision,answered,by,at,release,source"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Each field of each decision comes back, also what a spreadsheet would run and what stands in several lines."""
    odd = Correction(id="=1+1", labels={"article_type": "-Größe\n'x', \"y\""}, decision=NEW_LABEL, by="@me", at=now())
    unknown = Correction(sha256="0" * 64, decision=UNKNOWN, source=AUDIT)
    kept = Correction(id="7", labels=PATH, decision=ACCEPTED, at="2026-11-29T03:00:00Z")
    assert write_corrections(tmp_path / "new", [(FULL, SHOE), (odd, None), (unknown, None), (kept, None)]) == 4
    found = read_corrections(tmp_path / "new")
    assert found.faults == []
    assert found.taken == [FULL, odd, unknown, kept]
    assert read_picture(tmp_path / "new", FULL) == SHOE
    assert FULL.path == "Footwear / Shoes / Heels"


def test_what_cannot_be_told_leaves_no_folder(tmp_path: Path) -> None:
    """Where whoever is asked tells no decision, nothing was begun, and nothing is left that looks like it."""

    def told() -> Iterator[tuple[Correction, bytes]]:
        raise CorrectionsError("away")
        yield

    with pytest.raises(CorrectionsError, match="away"):
        write_corrections(tmp_path / "new" / "folder", told())
    assert not any(tmp_path.iterdir())


def test_writing_again_replaces_the_list_in_one_piece(tmp_path: Path) -> None:
    """A write that breaks off leaves the list that was there, and no half file beside it."""
    write_corrections(tmp_path, [(FULL, SHOE)])
    with pytest.raises(CorrectionsError, match="another SHA-256"):
        write_corrections(tmp_path, [(FULL, b"other bytes")])
    assert read_corrections(tmp_path).taken == [FULL]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        [CORRECTIONS_CSV, f"{SHA}.jpg"]
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",,,,,Heels,corrected,,,,,review", "neither a sha256 nor an id"),
        (",,7,,,,corrected,,,,,review", "no label says what is right"),
        (",,7,,,Heels,right,,,,,review", "decision is 'right'; it must be one of corrected, accepted"),
        (",,7,,,Heels,corrected,,,,,mail", "source is 'mail'"),
        (",,7,,,Heels,corrected,,,yesterday,,review", "at is 'yesterday'; it must be a time"),
        (",,7,,,Heels,corrected,,,2026-11-29T03:00:00,,review", "must be a time like"),
        ("12,,7,,,Heels,corrected,,,,,review", "sha256 is '12'"),
        (
            f"{SHA},../../passwd,7,,,Heels,corrected,,,,,review",
            "picture is '../../passwd'; it must be pictures/",
        ),
        (f"{SHA},pictures/{'0' * 64}.jpg,7,,,Heels,corrected,,,,,review", "it must be pictures/"),
        (",,7,,,Heels", "6 fields, the header names 12"),
    ],
)
def test_a_row_that_is_none_is_told_by_its_line(row: str, words: str) -> None:
    """One bad row spoils no other, and is told with its line and what would be right."""
    found = parse_corrections(f"{HEADER}\n,,1,,,Heels,corrected,,,,,review\n{row}\n\n,,2,,,Flats,accepted,,,,,page\n")
    assert [one.id for one in found.taken] == ["1", "2"]
    assert [fault.line for fault in found.faults] == [3]
    assert words in found.faults[0].detail


def test_what_a_spreadsheet_saves_is_read() -> None:
    """Semicolons, a byte order mark and a column of one's own do no harm."""
    text = f"\ufeff{HEADER},baseColour\r\n,,7,,,Heels,corrected,,,,,review,Red\r\n".replace(",", ";")
    (one,) = parse_corrections(text.removeprefix("\ufeff")).taken
    assert (one.id, one.labels, one.attributes) == ("7", {"article_type": "Heels"}, {"baseColour": "Red"})


def test_rows_behind_an_open_quote_are_said_to_be_unread() -> None:
    """Where a quote was never closed nobody knows what is a row: that is said, not guessed."""
    found = parse_corrections(f'{HEADER}\n,,1,,,Heels,corrected,,,,,review\n,,2,,,"Heels,corrected,,,,,review\n')
    assert [one.id for one in found.taken] == ["1"]
    assert "all that follow it were not read" in found.faults[0].detail


@pytest.mark.parametrize("text", ["", "id,articleType\n1,Heels\n", HEADER.replace("by,", "id,")])
def test_another_file_is_no_list_of_corrections(text: str) -> None:
    """What is something else is refused with the columns that are needed."""
    with pytest.raises(CorrectionsError, match="is no list of corrections: it needs each of the columns sha256"):
        parse_corrections(text)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Windows' bytes would become labels that nobody wrote."""
    (tmp_path / CORRECTIONS_CSV).write_bytes(f"{HEADER}\n,,7,,,Größe,corrected,,,,,review\n".encode("cp1252"))
    with pytest.raises(CorrectionsError, match="save it as UTF-8"):
        read_corrections(tmp_path)


def test_a_picture_that_was_changed_is_not_taken(tmp_path: Path) -> None:
    """A decision was about one picture, not about whatever lies there now."""
    write_corrections(tmp_path, [(FULL, SHOE)])
    (tmp_path / FULL.picture).write_bytes(b"another shoe")
    with pytest.raises(CorrectionsError, match="was changed since"):
        read_picture(tmp_path, FULL)
