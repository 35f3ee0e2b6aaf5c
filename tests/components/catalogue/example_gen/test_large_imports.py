"""What a large catalogue needs of the import: a report of bounded length, and many files."""

import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from components.catalogue.example_gen import reporting, stages
from components.catalogue.example_gen.component import StylesExampleGen
from components.catalogue.reading import source
from components.catalogue.reading.source import safe_entries
from components.storage.errors import StorageError
from schema import names
from tests.components.catalogue.test_styles_example_gen import (
    COUNT,
    artifact_of,
    examples_of,
    imported,
    products,
    report_of,
    run,
    text,
)
from tests.drawing import encoded, pixels, write_catalogue, zipped


def test_a_long_list_of_findings_is_short_in_the_report_and_whole_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each finding the report has the first cases and the number of all; files of JSON lines have each of them."""
    monkeypatch.setattr(reporting, "EXAMPLES", 2)
    rows = products()
    rows[0][names.YEAR] = "soon"
    twins = {f"{number}.jpg": encoded(pixels(1)) for number in range(10, 16)}
    broken = {f"{number}.jpg": b"broken" for number in range(20, 25)}
    orphans = {f"orphan{number}.jpg": encoded(pixels(number)) for number in range(3)}
    data = write_catalogue(tmp_path / "data", rows, {**twins, **broken, **orphans})
    store = run(tmp_path / "run", [StylesExampleGen(str(data), max_bad=0.1)])
    report = report_of(store)
    assert [one["line"] for one in report["rejected"]] == [22, 23]
    assert report["near_duplicates"] == [["1", "10"]]
    assert report["images_without_row"] == ["images/orphan0.jpg", "images/orphan1.jpg"]
    counted = {"rejected": 5, "repaired": 1, "near_duplicates": 1, "disagreeing_duplicates": 1, "images_without_row": 3}
    assert {name: report["counts"][name] for name in counted} == counted
    assert (report["reasons"]["rejected"], report["rows_of"]["near_duplicates"]) == ({"undecodable image": 5}, 7)
    folder = Path(artifact_of(store, "lookbook.CatalogueReport").uri)
    assert "… and 3 more" in (folder / "index.html").read_text()
    lines = [json.loads(line) for file in folder.glob("findings-*.jsonl") for line in file.read_text().splitlines()]
    assert Counter(one["finding"] for one in lines) == counted
    assert {"finding": "near_duplicates", "ids": ["1", *map(str, range(10, 16))]} in lines
    assert {one["id"] for one in lines if one["finding"] == "rejected"} == set(map(str, range(20, 25)))


def test_many_rows_are_spread_over_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files a split has, each row is in one of them, and a split's files say how many they are."""
    monkeypatch.setattr(stages, "ROWS_PER_SHARD", 10)
    store = imported(tmp_path / "run", write_catalogue(tmp_path / "data", products()))
    found = [text(one, names.ID) for of in examples_of(store).values() for one in of]
    assert sorted(found, key=int) == [str(number) for number in range(COUNT)]
    count = -(-report_of(store)["splits"]["train"] // 10)
    folder = Path(artifact_of(store, "Examples").uri, "Split-train")
    assert {file.name for file in folder.iterdir()} <= {
        f"data_tfrecord-{index:05d}-of-{count:05d}.gz" for index in range(count)
    }


def test_a_catalogue_is_opened_once_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory of a zip takes most of what grows with the rows: whoever runs the step shares it with the workers
    in its process."""
    archive = zipped(write_catalogue(tmp_path / "data", products()), tmp_path / "catalogue.zip")
    read: list[Path] = []

    def counting(of: zipfile.ZipFile, path: Path) -> tuple[Mapping[str, zipfile.ZipInfo], list[str]]:
        read.append(path)
        return safe_entries(of, path)

    monkeypatch.setattr(source, "safe_entries", counting)
    imported(tmp_path / "run", archive)
    assert read == [archive]


def test_workers_that_write_elsewhere_are_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers on a machine without the root write into a folder of their own: the step ends with what would help."""
    monkeypatch.setattr(reporting, "_write_report", lambda *of_a_far_worker: None)
    with pytest.raises(StorageError, match=r"report\.json, and here it is not: workers must see the folder of --root"):
        imported(tmp_path / "run", write_catalogue(tmp_path / "data", products()))
