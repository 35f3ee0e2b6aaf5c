"""Foreign layouts for the tests, and the command that imports them."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from pipeline.runner import cli
from schema import names
from tests.drawing import encoded, pixels

TAXONOMY = """articleType,subCategory,masterCategory
Hemden,Oberteile,Bekleidung
Blusen,Oberteile,Bekleidung
Schuhe,Schuhwerk,Schuhe
"""
TYPES = ("Hemden", "Blusen", "Schuhe")


def photo(path: Path, seed: int, kind: str = "JPEG") -> Path:
    """A picture of its own at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(pixels(seed), kind))
    return path


def sheet(rows: Sequence[Mapping[str, str]], separator: str = ",") -> str:
    """A CSV of rows with the same columns."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    quoted = [[f'"{cell}"' if separator in cell or "\n" in cell else cell for cell in line] for line in lines]
    return "\r\n".join(separator.join(line) for line in quoted) + "\r\n"


def lookbook_import(source: Path, out: Path, *options: Any) -> Result:
    """``lookbook import`` as a person types it."""
    return CliRunner().invoke(cli, ["import", str(source), "--out", str(out), *map(str, options)])


def imported(source: Path, out: Path, *options: Any) -> dict[str, Any]:
    """What ``lookbook import --json`` says; it must have worked."""
    result = lookbook_import(source, out, "--json", *options)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def styles(out: Path) -> dict[str, dict[str, str]]:
    """Id → row of the catalogue; each must have a picture."""
    with (out / names.STYLES_CSV).open(encoding="utf-8", newline="") as file:
        rows = {row[names.ID]: row for row in csv.DictReader(file)}
    assert {file.stem for file in (out / names.IMAGES_DIR).iterdir()} == set(rows)
    return rows


def rejected(out: Path) -> dict[str, tuple[str, str]]:
    """Place → reason and detail."""
    with (out / "rejected.csv").open(encoding="utf-8", newline="") as file:
        return {row["where"]: (row["reason"], row["detail"]) for row in csv.DictReader(file)}
