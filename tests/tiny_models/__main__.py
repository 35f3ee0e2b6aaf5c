"""Command line of the tiny models: ``.venv/pipeline/bin/python -m tests.tiny_models --help``."""

import argparse
import os
from pathlib import Path

from schema import heads as table
from tests.tiny_models import BROKEN


def parse() -> argparse.Namespace:
    """The arguments; their names are those of ``write_release``."""
    parser = argparse.ArgumentParser("tests.tiny_models", description="Write a release of the tiny models.")
    parser.add_argument("root", type=Path, metavar="DIR", help="folder above the models' base paths")
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--weights", type=int, default=0, help="other weights, other answers (default 0)")
    parser.add_argument("--disagree", action="store_true", help="the two models contradict each other")
    parser.add_argument("--delay-seconds", type=float, default=0.0, help="sleep in each call")
    parser.add_argument("--warmup", action="store_true", help="with warm-up requests")
    parser.add_argument("--broken", choices=BROKEN)
    parser.add_argument("--models", nargs="+", choices=table.MODELS, default=table.MODELS)
    parser.add_argument("--attributes", nargs="+", default=(), metavar="NAME", help="heads outside the taxonomy")
    parser.add_argument("--hears", action="store_true", help="the models hear names")
    parser.add_argument("--shares", action="store_true", help="the category model answers from the other's features")
    return parser.parse_args()


def main() -> None:
    """Write the release that the command line asks for."""
    arguments = vars(parse())
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported
    from tests.tiny_models.graph import write_release

    write_release(**arguments)


if __name__ == "__main__":
    main()
