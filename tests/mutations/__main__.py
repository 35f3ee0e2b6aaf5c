"""``make mutations``: breaks the code in each place of :data:`MUTATIONS`; exit status 1 if some test stays green.

``python -m tests.mutations WORD`` tries those alone whose name has the word. All of them take some ten minutes on two
cores, most of it the starting of TensorFlow.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.mutations.mutation import copy_sources
from tests.mutations.table import MUTATIONS


def main() -> int:
    """The command line; returns the exit status."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [mutation for mutation in MUTATIONS if word in mutation.name]
    survived = 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy_sources(Path(folder))
        for mutation in chosen:
            started = time.monotonic()
            is_noticed = mutation.is_noticed(Path(folder))
            survived += not is_noticed
            verdict = "noticed" if is_noticed else "SURVIVED"
            print(f"{verdict:9} {mutation.name}  ({mutation.file}, {time.monotonic() - started:.0f} s)", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} were noticed")
    return 1 if survived or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
