"""A kubectl that has no cluster: takes what `make check-cluster` tells it, and answers as a calm cluster would.

``python stand_in.py FOLDER LOST ARGUMENTS…`` notes each command in the folder; the caller's log says that so many calls
of each transport were lost between two looks.
"""

import json
import os
import sys
from pathlib import Path
from typing import Final

PODS: Final = {"merger": 2, "model-server": 2}


def main(folder: Path, lost: int, arguments: list[str]) -> None:
    """The command line."""
    with (folder / "commands").open("a") as noted:
        noted.write(" ".join(arguments) + "\n")
    words = [word for word in arguments if not word.startswith("--")]
    words = words[1:] if words[:1] == ["lookbook"] else words  # the namespace
    if words[0] == "kustomize":
        os.execv(os.environ["REAL_KUBECTL"], ["kubectl", *words])
    if words[0] == "apply":
        (folder / "applied").write_text(sys.stdin.read())
    if words[:2] == ["get", "pods"]:
        name = words[2].partition("=")[2]
        print("\n".join(f"pod/{name}-{i}" for i in range(_replicas(folder, name))))
    if words[0] == "get" and words[1].startswith("deployment/"):
        print(_replicas(folder, words[1].partition("/")[2]))
    if words[0] == "scale":
        name, count = words[1].partition("/")[2], arguments[-1].partition("=")[2]
        (folder / name).write_text(count)
    if words[0] == "logs":
        looks = (folder / "commands").read_text().count("logs")
        tally = {"calls": 100 * looks, "lost": lost * looks, "releases": ["1"], "last_failure": "told to fail"}
        print(json.dumps({"rest": tally, "grpc": tally}))


def _replicas(folder: Path, name: str) -> int:
    return int((folder / name).read_text()) if (folder / name).exists() else PODS[name]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
