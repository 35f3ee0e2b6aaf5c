"""Stands in for a worker's share of a training: notes that it ran, and fails the first time, or always."""

import os
import sys
from pathlib import Path

from components.training.worker import TRAINED, Call, index

if __name__ == "__main__":
    run_dir = Path(Call.read(Path(sys.argv[1])).run_dir)
    with (run_dir / f"ran-{index()}").open("a") as file:
        file.write("ran\n")
        is_first = file.tell() == len("ran\n")
    if is_first or "ALWAYS_FAILS" in os.environ:
        sys.exit(3)
    (run_dir / TRAINED).touch()
