"""Commands take any data: what is a catalogue as it is, all else through an import below the root."""

import json
import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner

from pipeline.runner import cli
from schema import names
from tests.components.catalogue.importing.layouts import lookbook_import, photo, sheet, styles
from tests.drawing import product, write_catalogue


def lookbook(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)])


@pytest.fixture
def export(tmp_path):
    """A sheet with names of its own, thirty products, pictures elsewhere below."""
    source = tmp_path / "export"
    source.mkdir()
    rows = [
        {"SKU": f"S{index}", "Department": "Apparel", "Subcategory": "Topwear", "Product type": f"Type {index % 3}",
         "Photo": f"pics/{index}.jpg"}
        for index in range(60)
    ]  # fmt: skip
    (source / "export.csv").write_text(sheet(rows, ";"), encoding="utf-8")
    for index in range(60):
        photo(source / "pics" / f"{index}.jpg", index)
    return source


def test_data_check_takes_an_export_and_imports_it_once(export, tmp_path):
    """The second time nothing is imported, unless the source has changed."""
    root = tmp_path / "root"
    first = lookbook("data", "check", export, "--trial", "--root", root, "--json")
    assert first.exit_code == 0, first.stderr
    assert "'Product type'" in first.stderr
    report = json.loads(first.stdout)
    assert report["taken"] == report["import"]["taken"] == 60
    second = lookbook("data", "check", export, "--trial", "--root", root)
    assert "was imported before: 60 of 60 rows" in second.stdout
    (export / "pics" / "7.jpg").unlink()
    third = lookbook("data", "check", export, "--trial", "--root", root)
    assert third.exit_code == 1
    assert "59 of 60 rows are in" in third.stdout
    assert "missing image" in third.stderr
    assert lookbook("data", "check", export, "--trial", "--root", root, "--max-bad", "0.05").exit_code == 0


def test_run_refuses_an_import_that_took_too_little(export, tmp_path):
    """Rows that the import rejects count as rows that a catalogue rejects do, before any training."""
    (export / "pics" / "7.jpg").unlink()
    result = lookbook("run", "--data", export, "--root", tmp_path / "root", "--profile", "quick")
    assert result.exit_code == 1
    assert "1 of 60 rows" in result.stderr
    assert not (tmp_path / "root" / "metadata.sqlite").exists()


def test_a_catalogue_is_read_where_it_is(tmp_path):
    """Nothing is imported where a styles.csv lies, even a bad one."""
    data = write_catalogue(tmp_path / "data", [product(str(index), index) for index in range(40)])
    assert lookbook("data", "check", data, "--trial", "--root", tmp_path / "root").exit_code == 0
    (data / names.STYLES_CSV).write_text("sku,kind\n1,Shirt\n")
    result = lookbook("data", "check", data, "--root", tmp_path / "root")
    assert result.exit_code == 1
    assert "misses the columns" in result.stderr
    assert not (tmp_path / "root").exists()


def test_on_a_terminal_the_person_is_asked(tmp_path):
    """What is ambiguous is a question with numbers; the answer is in the mapping."""
    source = tmp_path / "source"
    source.mkdir()
    rows = [
        {"id": str(index), "label": f"L{index % 2}", "category": f"C{index % 2}", "subcategory": "S", "department": "D"}
        for index in range(6)
    ]
    (source / "data.csv").write_text(sheet(rows))
    for index in range(6):
        photo(source / f"{index}.jpg", index)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pipeline.runner", "import", str(source), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.write(ours, b"3\n")
        output, _ = process.communicate(timeout=240)
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0
    assert b"asked" in output
    assert 'articleType = "label"' in (tmp_path / "out" / "mapping.toml").read_text()
    assert styles(tmp_path / "out")["1"][names.ARTICLE_TYPE_LABEL] == "L1"


def test_import_says_what_is_not_told_and_how_it_could_be(tmp_path):
    """One label column only: that is what is learnt, and the ways to tell the rest are named."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "data.csv").write_text(sheet([{"id": "1", "type": "Shirts"}, {"id": "2", "type": "Boots"}]))
    for index in (1, 2):
        photo(source / f"{index}.jpg", index)
    result = lookbook_import(source, tmp_path / "out")
    assert result.exit_code == 0
    assert "masterCategory      none: left out; give --master-category COLUMN or --taxonomy FILE" in result.output
    assert names.MASTER_CATEGORY_LABEL not in styles(tmp_path / "out")["2"]
    same = ("--sub-category", "type", "--master-category", "type")
    assert lookbook_import(source, tmp_path / "out", *same).exit_code == 0
    assert styles(tmp_path / "out")["2"][names.MASTER_CATEGORY_LABEL] == "Boots"


def test_schema_diff_and_compile_take_an_export_too(export, tmp_path):
    """What is looked at, or written for a cluster, is the catalogue that a run would make of it."""
    root, own = tmp_path / "root", tmp_path / "own.pbtxt"
    result = lookbook("schema", "diff", export, "--root", root)
    assert result.exit_code == 0, result.output
    assert "The catalogue meets the schema." in result.stdout
    assert lookbook("schema", "update", export, "--root", root, "--out", own).exit_code == 0
    assert 'name: "articleType"' in own.read_text()
    assert lookbook("schema", "update", export, "--root", root, "--out", own).exit_code == 0  # a schema is replaced
    (tmp_path / "mine.csv").write_text("id\n")
    refused = lookbook("schema", "update", export, "--root", root, "--out", tmp_path / "mine.csv")
    assert (refused.exit_code, "no schema: it is left as it is" in refused.output) == (2, True)
    assert (tmp_path / "mine.csv").read_text() == "id\n"
    out = tmp_path / "pipeline.yaml"
    result = lookbook(
        "compile", "--data", export, "--root", root, "--out", out, "--pipeline-root", "gs://bucket/lookbook"
    )
    assert result.exit_code == 0, result.output
    assert str(root / "imports") in out.read_text()
    (export / "pics" / "7.jpg").unlink()
    for command in (("schema", "diff", export), ("schema", "diff", export, "--json")):
        result = lookbook(*command, "--root", root)
        assert result.exit_code == 1
        assert "1 of 60 rows" in result.stderr


@pytest.mark.parametrize("command", [("data", "check"), ("run", "--data"), ("schema", "diff")])
def test_a_root_in_the_data_is_refused(export, command):
    """What a run writes, catalogues and plots, would be data the next time."""
    result = lookbook(*command, export, "--root", export / "build" / "lookbook")
    assert result.exit_code == 1
    assert "lies in the data" in result.output
    assert not (export / "build").exists()
