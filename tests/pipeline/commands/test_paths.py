"""Paths on the command line, and what is said where there is nothing at one."""

import pytest
from click.testing import CliRunner

from pipeline.runner import cli


@pytest.mark.parametrize(
    "command",
    [
        ("import", ".", "--out", ""),
        ("data", "sample", ""),
        ("data", "check", ".", "--page", ""),
        ("releases", "--root", ""),
        ("export", "--to", "litert", ""),
        ("sort", ".", "--into", "", "--move"),
        ("schema", "update", ".", "--out", ""),
        ("drift", "--save", ""),
        ("explain", __file__, "--out", ""),
        ("corrections", "merge", ".", "--data", ".", "--out", ""),
    ],
)
def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch, command):
    """A variable without a value leaves one, and nothing is drawn, imported or moved to wherever one happens to be."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 2 and "it is empty; give a path" in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        ("import", ".", "--out"),
        ("data", "sample"),
        ("data", "check", ".", "--page"),
        ("releases", "--root"),
        ("export", "--to", "litert"),
        ("audit", "--data", ".", "--out"),
        ("compile", "--target", "kubeflow", "--data", ".", "--pipeline-root", "gs://a/b", "--image", "a:1", "--out"),
    ],
)
def test_a_path_that_nothing_can_have_is_told_before_the_work(tmp_path, monkeypatch, command):
    """A path below a file, below a link to nothing, or with a name too long is refused with what is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nothing")
    ways = {
        "file/x.json": "is no folder",
        "link/a/x.json": "is no folder",
        "a" * 252 + ".json": "File name too long",
    }
    for path, words in ways.items():
        result = CliRunner().invoke(cli, [*command, path])
        assert result.exit_code == 2 and "cannot be made: " in result.output and words in result.output, path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


@pytest.mark.parametrize("server", ["localhost", "::1:9090", "localhost: 9090", "https://shop.example:443"])
def test_a_server_that_is_no_address_is_told_at_once(server):
    """Nobody waits for what gRPC would look up by another port, or not at all; that gRPC is asked for is said."""
    result = CliRunner().invoke(cli, ["classify", __file__, "--server", server])
    assert result.exit_code == 2 and f"--server (its gRPC port; for https add --tls): '{server}'" in result.output


def test_a_root_without_a_release_says_how_to_make_one(tmp_path):
    """Who has none yet is not told of one without a number."""
    command = ["export", "--to", "litert", str(tmp_path / "out"), "--root", str(tmp_path / "no")]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    assert "release has no release; make one with: lookbook run --data PATH" in result.output
