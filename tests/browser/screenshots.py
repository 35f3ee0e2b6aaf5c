"""Photographs the page over a release, for the README: ``python -m tests.browser.screenshots``.

It runs the stack on ``--release``, shows the page ``--pictures`` (without: pictures drawn as the sample catalogue's
are, which no model was trained on), and writes PNGs to ``--out``. Needs chromium, node, the
built page and the pipeline's environment, which draws; takes about a minute. What the answers are worth is the
release's affair.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

from serving.local.stack import stack
from serving.merger.settings import variable

ROOT: Final = Path(__file__).parents[2]
WEB: Final = ROOT / "serving" / "web"


def parse() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser("tests.browser.screenshots", description="Photograph the page.")
    parser.add_argument("--release", type=Path, default=ROOT / "build/lookbook/release")
    parser.add_argument("--pictures", type=Path, help="folder of pictures (default: drawn ones)")
    parser.add_argument("--out", type=Path, default=WEB / "screenshots")
    return parser.parse_args()


def draw(folder: Path) -> Path:
    """Draws pictures that are in no catalogue; gives their folder."""
    from components.catalogue.sample.catalogue import draw_held_out

    draw_held_out(folder, per_type=3)
    return folder / "images"


def photograph(url: str, pictures: Path, out: Path) -> None:
    """Has a browser show the page at ``url`` and writes what it shows."""
    environment = os.environ | {"LOOKBOOK_URL": url, "CHROMIUM": str(shutil.which("chromium"))}
    subprocess.run(["node", "scripts/screenshots.mjs", pictures, out], cwd=WEB, env=environment, check=True)
    for path in sorted(out.glob("*.png")):
        Image.open(path).convert("RGB").save(path, optimize=True)
        print(f"{path}: {path.stat().st_size} bytes")


def main() -> None:
    """Does what the command line asks for."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as work:
        os.environ[variable("review_store")] = str(Path(work) / "review.sqlite")
        with stack(arguments.release, logs=Path(work) / "logs") as running:
            pictures = arguments.pictures or draw(Path(work) / "drawn")
            photograph(running.http_url, pictures.resolve(), arguments.out.resolve())


if __name__ == "__main__":
    main()
