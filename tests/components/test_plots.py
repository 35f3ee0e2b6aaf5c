"""Whatever labels are called, what is drawn of them is drawn."""

import numpy as np
import pytest

from components import plots


@pytest.mark.parametrize("label", ["$_$", "$$", r"Under $20, was $30\frac", "A\nB", "<b>", "x^2"])
def test_labels_are_no_formulas(tmp_path, label):
    """Two $ in a label are money: as a formula it would end a run at its report, after the training."""
    drawn = plots.plot_confusion(np.eye(2, dtype=int), [label, "Tops"], "article_type", tmp_path)
    assert drawn.read_bytes().startswith(b"\x89PNG")
