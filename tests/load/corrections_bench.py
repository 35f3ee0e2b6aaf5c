"""What corrections are worth before any training: errors of a class after 20 decisions, and what else they change.

Command: ``python -m tests.load.corrections_bench RELEASE CATALOGUE --rows 4000``, in ``.venv/pipeline``. RELEASE is a
folder of releases, CATALOGUE a folder with ``styles.csv`` and ``images/``; pictures that the release knows are left
out. Of each article type with many errors half of the rows are looked at, and 20 of the wrong ones decided; the other
half are their siblings. The arithmetic is the merger's own.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import numpy as np
import pandas as pd
import tensorflow as tf

from pipeline.scoring import ReleasedModels
from schema import heads as table
from schema import names
from schema.corrections import Correction
from serving.merger.core.corrections import Learnt, Overlay, Placed, corrected, labels_of

CORRECTIONS: Final = 20
LEAST_ERRORS: Final = 20
_BATCH: Final = 32


class Asked(NamedTuple):
    """A picture: its labels, what the models say of it, and where it lies among the known ones."""

    labels: dict[str, str]
    scores: dict[str, list[float]]
    placed: Placed


@click.command()
@click.argument("release", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("catalogue", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rows", default=4000, help="Pictures to ask about.")
@click.option("--classes", default=8, help="Article types to correct, those with the most errors.")
@click.option("--seed", default=1)
def main(release: Path, catalogue: Path, rows: int, classes: int, seed: int) -> None:
    """Prints a row for each article type that is corrected, all siblings together, and the mean of the rows."""
    models, random = ReleasedModels(release), np.random.default_rng(seed)
    asked = ask(models, catalogue, rows, random)
    answers = [answer_of(models, one.scores) for one in asked]
    wrong = Counter(
        one.labels[names.ARTICLE_TYPE] for one, said in zip(asked, answers, strict=True) if one.labels != said
    )
    told = [
        judge(models, asked, answers, label, random)
        for label, count in wrong.most_common(classes)
        if count >= LEAST_ERRORS
    ]
    found = pd.DataFrame(told)
    click.echo(f"{len(asked)} pictures that release {models.version} does not know")
    click.echo(found.to_string(index=False, float_format="%.4f"))
    wrong_of_all = [int((found[key] * found["siblings"]).sum().round()) for key in ("errors_before", "errors_after")]
    click.echo(f"of {found['siblings'].sum()} siblings {wrong_of_all[0]} were wrong before, {wrong_of_all[1]} after")
    click.echo(found.drop(columns="corrected").mean().to_string(float_format="%.4f"))


def ask(models: ReleasedModels, catalogue: Path, rows: int, random: np.random.Generator) -> list[Asked]:
    """Asks about drawn rows whose labels the release knows."""
    sheet = pd.read_csv(catalogue / "styles.csv", dtype=str, keep_default_na=False, on_bad_lines="skip")
    columns = {head.name: head.column for head in table.taxonomy()}
    known = {path.labels for path in models.release.taxonomy}
    sheet = sheet[[labels in known for labels in sheet[[*columns.values()]].itertuples(index=False, name=None)]]
    drawn = sheet.sample(frac=1, random_state=random.integers(2**31)).head(rows)
    found: list[Asked] = []
    for start in range(0, len(drawn), _BATCH):
        part = drawn.iloc[start : start + _BATCH]
        files = [catalogue / "images" / f"{one}.jpg" for one in part["id"]]
        images = [file.read_bytes() if file.is_file() else b"" for file in files]
        labels = [dict(zip(columns, one, strict=True)) for one in part[[*columns.values()]].itertuples(index=False)]
        found += _asked(models, images, labels, list(part["id"]))
    return found


def _asked(models: ReleasedModels, images: list[bytes], labels: list[dict[str, str]], ids: list[str]) -> list[Asked]:
    data = tf.constant(images, tf.string)
    kin = models.saved_models[names.ARTICLE_TYPE].signatures[names.NEIGHBOURS](image_bytes=data)
    scores, is_ok = models.scores(images)
    nearest, known = kin[names.NEIGHBOUR_SIMILARITIES].numpy(), kin[names.NEIGHBOUR_IDS].numpy()
    embeddings = kin[names.EMBEDDING].numpy()
    return [
        Asked(
            labels[row],
            {head: scores[head][row].tolist() for head in models.heads},
            Placed(embeddings[row], nearest[row].tolist()),
        )
        for row in range(len(ids))
        if is_ok[row] and known[row][0].decode() != ids[row]
    ]


def answer_of(models: ReleasedModels, scores: dict[str, Any]) -> dict[str, str]:
    """The joint answer: level → label."""
    joint = models.merger.merge(scores, 1).joint
    return {level: getattr(joint, level) for level in models.levels}


def judge(
    models: ReleasedModels,
    asked: Sequence[Asked],
    before: Sequence[dict[str, str]],
    label: str,
    random: np.random.Generator,
) -> dict[str, Any]:
    """Corrects half of the rows of one article type; what becomes of the other half, and of the other types."""
    rows = random.permutation([row for row, one in enumerate(asked) if one.labels[names.ARTICLE_TYPE] == label])
    first, siblings = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    decided = [row for row in first if before[row] != asked[row].labels][:CORRECTIONS]
    overlay = Overlay(models.release, 1, [_learnt(models, asked[row]) for row in decided])
    after = {row: _after(models, overlay, one, before[row]) for row, one in enumerate(asked)}
    others = [row for row, one in enumerate(asked) if one.labels[names.ARTICLE_TYPE] != label]
    return {
        "corrected": label,
        "decided": len(decided),
        "siblings": len(siblings),
        "errors_before": np.mean([before[row] != asked[row].labels for row in siblings]),
        "errors_after": np.mean([after[row] != asked[row].labels for row in siblings]),
        "others_changed": np.mean([before[row] != after[row] for row in others]),
        "others_errors_before": np.mean([before[row] != asked[row].labels for row in others]),
        "others_errors_after": np.mean([after[row] != asked[row].labels for row in others]),
        "decided_right": np.mean([after[row] == asked[row].labels for row in decided]),
    }


def _learnt(models: ReleasedModels, one: Asked) -> Learnt:
    return Learnt(one.placed.embedding, labels_of(Correction(sha256="0" * 64, labels=one.labels), models.release))


def _after(models: ReleasedModels, overlay: Overlay, one: Asked, before: dict[str, str]) -> dict[str, str]:
    say = overlay.say(one.placed)
    if not say.share:
        return before
    return answer_of(models, {head: corrected(row, say.votes.get(head, {})) for head, row in one.scores.items()})


if __name__ == "__main__":
    main()
