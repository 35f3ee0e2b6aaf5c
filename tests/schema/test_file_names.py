"""The page, which cannot import them, keeps the same lists of names as everything else."""

import json
import re
from pathlib import Path

from schema import file_names

PAGE = (Path(__file__).parents[2] / "serving/web/src/pictures/zip.ts").read_text(encoding="utf-8")


def test_the_page_leaves_out_what_everything_leaves_out():
    """No name of a system's own is in one list and not in the other."""
    listed = re.search(r"OF_A_SYSTEM = new Set\((\[.*?)\s*,?\s*\]\)", PAGE, re.DOTALL)
    assert {*json.loads(listed[1] + "]")} == file_names._OF_A_SYSTEM


def test_the_page_takes_what_everything_takes():
    """Every ending of a picture is one to the page."""
    pattern = re.compile(re.search(r"PICTURE = /(.+)/i;", PAGE)[1], re.IGNORECASE)
    assert [suffix for suffix in file_names.PICTURE_SUFFIXES if not pattern.search(f"a{suffix}")] == []
