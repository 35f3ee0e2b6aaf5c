"""Draws an explanation over its photo."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt

from schema.pictures import read_header, to_pixels
from serving.proto.lookbook.v1 import classifier_pb2 as pb

matplotlib.rcParams["text.parse_math"] = False  # labels are no formulas: a $ in them is money


def draw_heat_map(image: bytes, explanation: pb.ExplainResponse, out: Path) -> None:
    """Writes the upright photo, and beside it the photo under its heat map.

    Args:
        image: encoded; of any kind that is classified.
        explanation: of that picture.
        out: a file that Matplotlib can write, for example ``heat.png``.
    """
    photo = to_pixels(read_header(image)).convert("RGB")
    heat = np.reshape(explanation.heat, (explanation.rows, explanation.columns))
    most = max(float(np.abs(heat).max()), 1e-6)
    figure, (plain, covered) = plt.subplots(1, 2, figsize=(7, 5), layout="constrained")
    extent = (0, photo.width, photo.height, 0)
    for axis in (plain, covered):
        axis.imshow(photo, extent=extent)
        axis.set_axis_off()
    drawn = covered.imshow(
        heat, extent=extent, cmap="coolwarm", vmin=-most, vmax=most, alpha=0.6, interpolation="bicubic"
    )
    figure.colorbar(drawn, ax=covered, shrink=0.7, label="confidence lost when this part is hidden")
    figure.suptitle(f"{explanation.head}: {explanation.label} ({explanation.confidence:.2f})")
    figure.savefig(out, dpi=110)
    plt.close(figure)
