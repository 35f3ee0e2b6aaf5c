"""The card of a release as a page, whatever its manifest tells."""

from click.testing import CliRunner

from pipeline.runner import cli
from tests.pipeline.bulk.conftest import release


def test_a_manifest_that_tells_little_has_a_page(tmp_path):
    """One without a time of its making, which the card on a terminal says too, ends in no traceback."""
    release(tmp_path)
    page = tmp_path / "card.html"
    result = CliRunner().invoke(cli, ["releases", "show", "1", "--root", str(tmp_path), "--page", str(page)])
    assert result.exit_code == 0, result.output
    assert "Made nobody noted when" in page.read_text(encoding="utf-8")
