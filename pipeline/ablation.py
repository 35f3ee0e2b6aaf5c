"""What each part of the training brings: one run a part, each with all parts before it.

Command: ``make ablation DATASET=catalogue.zip``. On 4,000 pictures of the Kaggle set and 2 cores it takes about half an
hour. The table goes to ``build/ablation/table.txt``, and as JSON beside it. What ran before is not repeated.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pandas as pd

from components.evaluation.quality_report.page import FIGURES
from pipeline.config import Layout
from schema import names
from schema.heads import taxonomy
from schema.release_folder import ReleaseFolder

Settings = dict[str, Any]

_PLAIN: Settings = {
    "backbone": "small_cnn",
    "frozen_to": "",
    "height": 80,
    "width": 60,
    "weight_decay": 1e-3,
    "dropout": 0.3,
    "patience": 10,
    "neighbours": 0,
    "neighbour_layers": "",
    **{f"augmentation.{name}": 0 for name in ("rotation", "zoom", "brightness", "contrast", "saturation")},
    "augmentation.flip": "false",
    "loss": "focal",
    "gamma": 2.0,
    "class_balance": 0,
    "batch_size": 64,
    "epochs": 14,
    "category_epochs": 1,
}
_AUGMENTED: Settings = {
    "augmentation.flip": "true",
    "augmentation.rotation": 0.03,
    "augmentation.zoom": 0.15,
    "augmentation.brightness": 0.1,
    "augmentation.contrast": 0.15,
    "augmentation.saturation": 0.2,
}
_TRANSFER: Settings = {
    "backbone": "efficientnet_lite0",
    "frozen_to": "block4_add",
    "frozen_depthwise": 5,
    "backbone_rate": 0.25,
    "weight_decay": 0.02,
    "dropout": 0.2,
    "ema": 0.99,
    "head_epochs": 1,
    "epochs": 6,
}
STEPS: tuple[tuple[str, Settings], ...] = (
    ("small CNN from scratch, focal loss", _PLAIN),
    ("+ augmentation", _AUGMENTED),
    ("+ transfer from ImageNet", _TRANSFER),
    ("+ resolution 128×96", {"height": 128, "width": 96}),
    (
        "+ smoothed cross-entropy, logit adjustment",
        {"loss": "crossentropy", "label_smoothing": 0.05, "logit_adjustment": 0.2},
    ),
    ("+ mixup and erasing", {"augmentation.mixup": 0.2, "augmentation.erase": 0.25}),
    ("+ nearest neighbours", {"neighbours": 40, "neighbour_layers": "block7_add,block10_add,block14_add"}),
)
"""What is added, and its settings over those of the steps before; the first has all in which ``quick`` is otherwise."""


def train(data: Path, limit: int, root: Path, settings: Settings) -> dict[str, dict[str, float]]:
    """Runs the pipeline below ``root``, unless it has a release there, and gives its report's figures, head by head."""
    releases = ReleaseFolder(Layout(root).releases)
    if not (root.is_dir() and releases.current()):
        sets = [text for name, value in settings.items() for text in ("--set", f"{name}={value}")]
        arguments = ["run", "--data", str(data), "--root", str(root), "--limit", str(limit), "--profile", "quick"]
        subprocess.run([sys.executable, "-m", "pipeline.runner", *arguments, *sets], check=True)
    release = releases.current()
    if release is None:
        raise click.ClickException(f"there is no release below {root}")
    page = Layout(root).releases / "reports" / str(release.version)
    return json.loads((page / FIGURES).read_text(encoding="utf-8"))


def table(results: dict[str, dict[str, dict[str, float]]]) -> pd.DataFrame:
    """A row a step: top-1 of each head, and more of the article type.

    That is top-5, macro-F1, and ECE before and after calibration.
    """
    return pd.DataFrame(
        [
            {
                "training": step,
                **{f"{head.name} top-1": heads[head.name]["top_1"] for head in taxonomy() if head.name in heads},
                "top-5": heads[names.ARTICLE_TYPE]["top_5"],
                "macro-F1": heads[names.ARTICLE_TYPE]["macro_f1"],
                "ECE before": heads[names.ARTICLE_TYPE]["ece_before"],
                "ECE": heads[names.ARTICLE_TYPE]["ece"],
            }
            for step, heads in results.items()
        ]
    )


@click.command()
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder or zip of a catalogue."
)
@click.option("--limit", type=click.IntRange(min=0), default=4000, show_default=True, help="Rows to take; 0 for all.")
@click.option("--root", type=click.Path(path_type=Path), default=Path("build/ablation"), show_default=True)
def main(data: Path, limit: int, root: Path) -> None:
    """Train once with each part of the training more, and set the figures side by side."""
    results, settings = {}, Settings()
    for number, (step, more) in enumerate(STEPS):
        settings |= more
        click.echo(f"{number + 1}/{len(STEPS)} {step}")
        results[step] = train(data.resolve(), limit, root.resolve() / str(number), settings)
        (root / "figures.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        shown = table(results).to_string(index=False, float_format="%.3f")
        (root / "table.txt").write_text(shown + "\n", encoding="utf-8")
    click.echo(shown)


if __name__ == "__main__":
    main()
