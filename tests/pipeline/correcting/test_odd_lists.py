"""Lists of decisions as editors, spreadsheets and chance leave them: each row counts, or is told with the reason."""

import json
import zipfile

import pytest
from click.testing import CliRunner

from pipeline.correcting.offered import read_offered
from pipeline.runner import cli
from schema.corrections import CorrectionsError
from tests.pipeline.correcting.test_merge import catalogue, merge_files

__all__ = ["catalogue"]

HEADER = "id,label,column,suggested,decision\n"
ROW = "1,Heels,articleType,Flats,Flats\n"


def merged(tmp_path, data, *options):
    """What the command says of one decision about this catalogue."""
    (tmp_path / "decisions.csv").write_text(HEADER + ROW)
    arguments = [
        "corrections",
        "merge",
        tmp_path / "decisions.csv",
        "--data",
        data,
        "--root",
        tmp_path / "root",
        *options,
    ]
    return CliRunner().invoke(cli, [*map(str, arguments)])


@pytest.mark.parametrize("separator", [",", ";", "\t", " , "])
def test_decisions_of_an_audit_are_read_with_any_separator(tmp_path, separator):
    """What a spreadsheet made of the list says the same: tabs, semicolons, spaces around the names."""
    (tmp_path / "decisions.csv").write_text((HEADER + ROW).replace(",", separator))
    [offered] = read_offered(tmp_path / "decisions.csv").offered
    assert offered.correction.id == "1" and offered.correction.labels == {"article_type": "Flats"}


@pytest.mark.parametrize(
    "row", ['1,"Heels,articleType,Flats,Flats\n', "1,He\0els,a,b,c\n", f"1,{'x' * 200_000},a,b,c\n"]
)
def test_a_row_that_cannot_be_read_is_told(tmp_path, row):
    """A quote that never ends, a byte of zero or an endless cell hides no decision in silence: it is told where."""
    (tmp_path / "decisions.csv").write_text(HEADER + ROW + row + ROW)
    reading = read_offered(tmp_path / "decisions.csv")
    assert len(reading.offered) == 1
    assert reading.faults[0][1].endswith("this row and all that follow it were not read")


@pytest.mark.parametrize("column", ["id", "label"])
def test_decisions_without_a_column_are_refused(tmp_path, column):
    """An audit's list that lost a column names it."""
    (tmp_path / "decisions.csv").write_text(HEADER.replace(column, "other") + ROW)
    with pytest.raises(CorrectionsError, match=f"no column {column}"):
        read_offered(tmp_path / "decisions.csv")


@pytest.mark.parametrize(
    ("changed", "taken"),
    [({"answer": {"path": 5}}, 1), ({"articleType": "\ud800"}, 0), ({"answer": {"path": [], "release": "\udc00"}}, 0)],
)
def test_a_page_s_list_edited_by_hand_ends_nothing(tmp_path, changed, taken):
    """A path that is no list is passed over, and half of a letter is told, before anything is written."""
    entry = {"id": "1", "articleType": "Flats", "checked": True, "answer": None} | changed
    (tmp_path / "answers.json").write_text(json.dumps([entry]))
    reading = read_offered(tmp_path / "answers.json")
    assert (len(reading.offered), len(reading.faults)) == (taken, 1 - taken)


@pytest.mark.parametrize("content", ["id,é\n".encode("latin-1"), "id,decision\n".encode("utf-16")])
def test_a_kept_list_in_another_encoding_is_told(tmp_path, catalogue, content):
    """The catalogue's own list, saved by something else, is named with what to do."""
    (catalogue / "corrections.csv").write_bytes(content)
    told = merged(tmp_path, catalogue)
    assert told.exit_code == 1 and "corrections.csv of" in told.output and "save it as UTF-8" in told.output


def test_a_kept_list_in_a_damaged_zip_is_told(tmp_path, catalogue):
    """A zip that is damaged just there is no reason for a traceback."""
    packed = tmp_path / "catalogue.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in catalogue.rglob("*.*"):
            archive.write(file, file.relative_to(catalogue))
        archive.writestr("corrections.csv", "damaged here")
    packed.write_bytes(packed.read_bytes().replace(b"damaged here", b"damaged hers"))
    told = merged(tmp_path, packed)
    assert told.exit_code == 1 and "corrections.csv of" in told.output and "cannot be read" in told.output


def test_a_word_for_nothing_is_no_decision(tmp_path, catalogue):
    """What the import takes for an empty label does not confirm the one that is there."""
    (tmp_path / "decisions.csv").write_text(HEADER + "1,Heels,articleType,Flats,NaN\n")
    report, _ = merge_files(tmp_path, catalogue, [tmp_path / "decisions.csv"])
    assert report["outcomes"] == {"no_correction": 1}


def test_a_key_file_in_another_encoding_is_told(tmp_path):
    """What a Windows shell writes into a file is UTF-16, which is no key; a mark of UTF-8 is none of the key."""
    from pipeline.commands.common import read_key

    (tmp_path / "key").write_text("key\n", encoding="utf-16")
    arguments = ["corrections", "export", "http://127.0.0.1:9", "--out", tmp_path, "--api-key-file", tmp_path / "key"]
    told = CliRunner().invoke(cli, [*map(str, arguments)])
    assert told.exit_code == 2 and "is not UTF-8" in told.output
    (tmp_path / "key").write_text("key\n", encoding="utf-8-sig")
    assert read_key(tmp_path / "key") == "key"


@pytest.mark.parametrize(
    ("content", "words"), [("", "it is empty"), ("a,b\n1,2\n", "it misses the columns"), ("\0", "NUL")]
)
def test_a_list_that_is_none_is_told_by_its_own_name(tmp_path, content, words):
    """Who gave decisions.csv is not sent to look at a styles.csv that is another file."""
    (tmp_path / "decisions.csv").write_text(content)
    with pytest.raises(CorrectionsError, match=f"decisions.csv is no list of corrections: .*{words}") as refused:
        read_offered(tmp_path / "decisions.csv")
    assert "styles.csv" not in str(refused.value)


@pytest.mark.parametrize("out", ["catalogue/next", "catalogue/images/next", "link/next", "empty", "volume"])
def test_a_merge_writes_nothing_into_what_it_only_reads_or_cannot_replace(tmp_path, catalogue, monkeypatch, out):
    """The catalogue stays as it is, by whatever path; links and mount points are refused before the work for them."""
    (tmp_path / "link").symlink_to(catalogue)
    (tmp_path / "volume").mkdir()
    (tmp_path / "empty").symlink_to("volume")
    monkeypatch.setattr("os.path.ismount", lambda path: str(path).endswith("volume"))
    before = sorted(catalogue.rglob("*"))
    told = merged(tmp_path, catalogue, "--out", tmp_path / out)
    assert told.exit_code == 1 and "give a new folder" in told.output, told.output
    assert sorted(catalogue.rglob("*")) == before
