"""k8s/README.md names what is there: files, lines, components and objects."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.k8s import rendering

README: Final = (rendering.K8S / "README.md").read_text()
RUNBOOKS: Final = (
    "First deploy",
    "Review store",
    "New release",
    "Canary",
    "Rollback",
    "Scale",
    "What each alert means",
)
QUOTED: Final = re.compile(r"`([^`]+)`")


def _section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title!r}"
    return found[1]


def _rows(title: str) -> list[list[str]]:
    """The cells of the section's table, without its head."""
    lines = [line for line in _section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def _files(cell: str) -> Iterator[Path]:
    """The files that a cell names, patterns expanded."""
    for name in QUOTED.findall(cell):
        found = [(rendering.K8S / name).resolve()] if name.startswith("../") else list(rendering.K8S.glob(name))
        if "/" in name:
            assert found and all(path.is_file() for path in found), name
            yield from found


@pytest.mark.parametrize("row", _rows("Knobs"), ids=lambda row: row[0][:40])
def test_knobs_are_where_the_table_says(row: list[str]) -> None:
    """Every file of the table is there, and the lines that it names are in one of the files; what may be added comes
    after a semicolon."""
    _, files, lines = row
    texts = [path.read_text() for path in _files(files)]
    assert texts or "overlay's" in files
    for name in QUOTED.findall(lines.partition(";")[0]) if texts else ():
        assert any(name in text for text in texts), name


def test_every_component_is_in_the_table() -> None:
    """A component that nobody can find is of no use, and one that is gone misleads."""
    assert {QUOTED.findall(row[0])[0] for row in _rows("Components")} == set(rendering.COMPONENTS)


@pytest.mark.parametrize("title", RUNBOOKS)
def test_runbooks_name_objects_that_exist(title: str) -> None:
    """What a runbook's commands act on is in the manifests, or the runbook made it before."""
    text = _section(title)
    everything = rendering.combination(*rendering.everything())
    there = {f"{d['kind'].lower()}/{d['metadata']['name']}" for d in everything.documents}
    made = {f"job/{name}" for name in re.findall(r"create job --from=cronjob/[a-z-]+ ([a-z-]+)", README)}
    for name in re.findall(r"\b(?:deployment|cronjob|job|service)/[a-z-]+", text):
        assert name in there | made, name
