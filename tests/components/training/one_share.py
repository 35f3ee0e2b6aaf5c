"""Stands in for a worker's share of a training: notes that it ran, and fails the first time."""

import os
import sys
from pathlib import Path

from components.training.worker import TRAINED, Call, index

if __name__ == "__main__":
    run_dir = Path(Call.read(Path(sys.argv[1])).run_dir)
    with (run_dir / f"ran-{index()}").open("a") as file:
        file.write(f"{os.getpid()}\n")
        is_first = file.tell() < 10
    if is_first:
        sys.exit(3)
    (run_dir / TRAINED).touch()
