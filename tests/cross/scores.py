"""``python -m tests.cross.scores RELEASE PICTURES``: the scores of both models' newest version, as JSON."""

import json
import sys
from pathlib import Path

import tensorflow as tf

from schema import heads as table
from schema import names


def main(release: Path, pictures: Path) -> None:
    """Prints head → a list of scores for each picture of the folder, by name."""
    batch = tf.constant([path.read_bytes() for path in sorted(pictures.glob("*.jpg"))])
    scores = {}
    for model in table.MODELS:
        newest = max(
            (path for path in (release / model).iterdir() if path.name.isdigit()), key=lambda one: int(one.name)
        )
        answer = tf.saved_model.load(str(newest)).signatures[names.SCORES](image_bytes=batch)
        scores |= {head.name: answer[head.name].numpy().tolist() for head in table.of_model(model)}
    print(json.dumps(scores))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
