"""Paths on the command line, and what is said where there is nothing at one."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.commands.common import server_options
from pipeline.commands.paths import PathToWrite
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


FOLDERS = {
    "import": ("import", ".", "--out"),
    "sample": ("data", "sample"),
    "export": ("export", "--to", "litert"),
    "audit": ("audit", "--data", ".", "--out"),
    "merge": ("corrections", "merge", ".", "--data", ".", "--out"),
}


@pytest.mark.parametrize("command", FOLDERS.values(), ids=list(FOLDERS))
def test_a_folder_is_not_made_of_a_link_to_nothing(tmp_path, monkeypatch, command):
    """It is told at once, and not as a file that exists after the work; nor is a link that leads to itself."""
    monkeypatch.chdir(tmp_path)
    for name, target in {"link": "nothing", "circle": "circle"}.items():
        (tmp_path / name).symlink_to(target)
        result = CliRunner().invoke(cli, [*command, name])
        assert result.exit_code == 2 and f"it is a link to '{target}', which is not there" in result.output


def test_the_root_of_all_folders_is_one(tmp_path, monkeypatch):
    """It has none above it; what the command says is heard, also where it is the current folder."""
    assert PathToWrite(file_okay=False).convert("/", None, None) == Path("/")
    monkeypatch.chdir("/")
    result = CliRunner().invoke(cli, ["import", str(tmp_path), "--out", "."])
    assert result.exit_code == 1 and "neither a styles.csv" in result.output


@pytest.mark.parametrize(
    ("path", "is_taken"),
    [("to-file", True), ("to-new", True), ("/dev/null", True), ("/dev/stdout", True), ("to-deep", False), ("o", False)],
)
def test_a_file_is_written_through_a_link_where_that_works(tmp_path, monkeypatch, path, is_taken):
    """A link to a file that can be made, a device and a pipe are written to as ever; one that leads nowhere is told."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for name, target in {"to-file": "file", "to-new": "new", "to-deep": "missing/new", "o": "o"}.items():
        (tmp_path / name).symlink_to(target)
    try:
        assert PathToWrite(dir_okay=False).convert(path, None, None) == Path(path) and is_taken
        Path(path).open("ab").close()
    except click.BadParameter as error:
        assert "which is not there" in error.message and not is_taken
        with pytest.raises(OSError):
            Path(path).write_text("")


def test_links_to_folders_and_open_pipes_are_what_they_lead_to(tmp_path):
    """A shell's process substitution is a link to a pipe, and a root on another volume is often a link."""
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "later").symlink_to("new")
    assert PathToWrite(file_okay=False).convert(str(tmp_path / "link"), None, None)
    assert PathToWrite(file_okay=False, follows=True).convert(str(tmp_path / "later"), None, None)
    read, write = os.pipe()
    try:
        assert PathToWrite(dir_okay=False).convert(f"/dev/fd/{write}", None, None)
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("server", ["localhost", "::1:9090", "localhost: 9090", "https://shop.example:443"])
def test_a_server_that_is_no_address_is_told_at_once(server):
    """Nobody waits for what gRPC would look up by another port, or not at all; that gRPC is asked for is said."""
    result = CliRunner().invoke(cli, ["classify", __file__, "--server", server])
    assert result.exit_code == 2 and f"--server (its gRPC port; for https add --tls): '{server}'" in result.output


@pytest.mark.parametrize("trust", [("--tls",), ("--ca", __file__)])
def test_a_server_with_tls_needs_no_port(trust):
    """It is that of https, as gRPC has it; without TLS nobody could guess one."""
    asked = []
    command = click.command(server_options(lambda server: asked.append(server.target)))
    for given, code in ((trust, 0), ((), 2)):
        result = CliRunner().invoke(command, ["--server", "shop.example", *given])
        assert result.exit_code == code, result.output
    assert asked == ["shop.example"]


def test_a_root_without_a_release_says_how_to_make_one(tmp_path):
    """Who has none yet is not told of one without a number."""
    command = ["export", "--to", "litert", str(tmp_path / "out"), "--root", str(tmp_path / "no")]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    assert "release has no release; make one with: lookbook run --data PATH" in result.output
