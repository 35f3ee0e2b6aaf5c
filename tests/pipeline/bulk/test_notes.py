"""What the notes of a bulk classification say, held against what is there."""

import pytest

from components.storage.location import Remote
from pipeline.bulk.files import LocalFiles, StoredFiles
from pipeline.bulk.output import done_shards, write_done


@pytest.mark.parametrize("kind", ["here", "store"])
def test_a_shard_whose_table_was_removed_is_done_again(tmp_path, kind):
    """A note alone makes no shard done: else the result would lack its rows, and nobody would say so."""
    here = LocalFiles(tmp_path)
    files = here if kind == "here" else StoredFiles(Remote(f"file://{tmp_path}"))
    for number in (0, 1):
        here.write(f"{number:05}-of-00002.csv", b"rows")
        write_done(here, number, {})
    here.write("_shards/a copy.done.json", b"{}")
    assert done_shards(files) == {0, 1}
    (tmp_path / "00001-of-00002.csv").unlink()
    assert done_shards(files) == {0}
