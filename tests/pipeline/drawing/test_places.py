"""A drawing takes no photo's place."""

import pytest
from click.testing import CliRunner

from pipeline.commands.asking import explain, similar


@pytest.mark.parametrize(("command", "option"), [(explain.command, "--out"), (similar.command, "--contact-sheet")])
@pytest.mark.parametrize("name", ["shoe.jpg", "../photos/shoe.jpg", "link.png", "twin.jpg"])
def test_the_photo_itself_is_not_drawn_over(tmp_path, command, option, name):
    """By whatever name it is given, it is left as it is, and nobody is asked anything."""
    photos = tmp_path / "photos"
    photos.mkdir()
    photo = photos / "shoe.jpg"
    photo.write_bytes(b"a photo")
    (photos / "link.png").symlink_to(photo)
    (photos / "twin.jpg").hardlink_to(photo)
    asked = [str(photo), option, str(photos / name), "--server", "127.0.0.1:1"]
    result = CliRunner().invoke(command, asked)
    assert result.exit_code == 2, result.output
    assert f"{option} {photos / name} is the photo itself" in " ".join(result.output.split())
    assert photo.read_bytes() == b"a photo"
