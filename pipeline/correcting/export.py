"""What reviewers decided, out of a merger or its store, as a folder of corrections."""

import base64
import json
import os
import ssl
import subprocess
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import RunError
from schema.corrections import Correction, CorrectionsError, level_names, write_corrections
from serving.client.http import get
from serving.local.processes import ROOT, python_with
from serving.merger.settings import variable

AT_ONCE: Final = 20
"""Decisions with their pictures in one answer of a merger."""
PATIENCE_S: Final = 60.0
_SQLITE: Final = "sqlite:///"


@dataclass(frozen=True)
class Merger:
    """A merger that keeps decisions.

    Args:
        url: of its REST, as https://lookbook.example.
        api_key: one that may review; empty where none is asked for.
        ca: file of PEM certificates that vouch for it; None: those that this machine trusts.
    """

    url: str
    api_key: str = ""
    ca: Path | None = None


def from_merger(merger: Merger, folder: Path) -> int:
    """Writes the decisions that hold, by asking a merger; how many.

    Raises:
        RunError: the merger does not tell them.
        CorrectionsError: what it tells is none.
        OSError: the folder cannot be written to.
    """
    return write_corrections(folder, _told(merger))


def from_store(target: str, folder: Path) -> int:
    """Writes the decisions that hold, out of a store; how many.

    The database's libraries are in the environment of serving alone.

    Raises:
        RunError: the store cannot be read, or the folder not be written to.
    """
    if not target:
        raise RunError("no store is named: give a merger's URL, a path or postgresql://…, or set LOOKBOOK_REVIEW_STORE")
    done = subprocess.run(
        [python_with("sqlalchemy", "serving"), "-m", "serving.merger.review.export", str(folder.absolute())],
        env=os.environ | {variable("review_store"): _absolute(target)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunError(done.stderr.strip())
    return int(done.stdout)


def _absolute(target: str) -> str:
    if "://" in target and not target.startswith(_SQLITE):
        return target
    file = Path(target.removeprefix(_SQLITE)).expanduser().absolute()
    if not file.is_file():  # SQLite would make one
        raise RunError(
            f"there is no review store at {file}; give the file that LOOKBOOK_REVIEW_STORE names, or a merger's URL, "
            "with http:// before it"
        )
    return str(file)


def _told(merger: Merger) -> Iterator[tuple[Correction, bytes]]:
    version = 0
    while found := _ask(merger, version):
        for one in found:
            try:
                told = _correction(one), base64.b64decode(one["picture"])
                version = max(version + 1, int(one["version"]))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise CorrectionsError(
                    f"{merger.url} tells what is no decision ({type(error).__name__}: {error})"
                ) from error
            yield told


def _ask(merger: Merger, after: int) -> list[dict[str, Any]]:
    address = f"{merger.url.rstrip('/')}/v1/review/decisions?after={after}&limit={AT_ONCE}&pictures=true"
    headers = {"x-api-key": merger.api_key} if merger.api_key else {}
    try:
        context = ssl.create_default_context(cafile=merger.ca)
        return list(json.loads(get(address, PATIENCE_S, headers, context))["decisions"])
    except urllib.error.HTTPError as error:
        raise RunError(f"{merger.url} does not tell its decisions: {_detail(error)}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{merger.url} does not tell its decisions: {error}; it must be the URL of a merger") from error


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def _correction(one: dict[str, Any]) -> Correction:
    return Correction(
        sha256=one["sha256"],
        picture=one["picture_name"],
        labels={level: one[level] for level in level_names() if one[level]},
        attributes={attribute["column"]: attribute["label"] for attribute in one["attributes"]},
        **{name: one[name] for name in ("decision", "answered", "by", "at", "release")},
    )
