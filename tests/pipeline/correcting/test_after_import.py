"""A catalogue that an import made is corrected as any other."""

from click.testing import CliRunner

from pipeline.runner import cli
from tests.pipeline.correcting.test_merge import catalogue, merge, of

__all__ = ["catalogue"]


def test_what_an_import_left_stays(tmp_path, catalogue):
    """How a catalogue was read, and which rows were not taken, can be looked up in the corrected one too."""
    made = tmp_path / "imported"
    given = ["import", catalogue / "styles.csv", "--pictures", catalogue / "images", "--out", made]
    told = CliRunner().invoke(cli, [*map(str, given)])
    assert told.exit_code == 0, told.output
    assert "5" in (made / "rejected.csv").read_text(encoding="utf-8")
    _, new = merge(tmp_path, made, [of(1, "Flats")])
    for name in ("mapping.toml", "rejected.csv"):
        assert (new / name).read_bytes() == (made / name).read_bytes()
