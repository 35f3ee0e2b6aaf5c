"""What the nearest products are worth, worked out by hand."""

import numpy as np

from components.evaluation.quality_report.alike import measures

ROWS = [
    ("Shirts", "Blue Shirt", ["Shirts"] * 9 + ["Tops"] * 3 + ["Ties"] * 40, ["Blue Shirt", "Red Shirt"]),
    ("Shirts", "New Shirt", ["Shirts"] * 12, ["Red Shirt"]),
    ("Ties", "Silk Tie", ["Shirts"] * 12, ["Blue Shirt", "Silk Tie"]),
    ("Ties", "", ["Ties"] * 6, ["", "Silk Tie"]),
]


def test_measures():
    """Twelve count, or as many as there are; rare types weigh as much as common ones in the second; a picture without a
    namesake, or without a name, is no pair."""
    table = measures(ROWS, {"Blue Shirt", "Red Shirt", "Silk Tie", ""}).set_index("measure")
    assert table["value"].round(6).tolist() == [(0.75 + 1 + 0 + 1) / 4, (0.875 + 0.5) / 2, 0.5]
    assert table["pictures"].tolist() == [4, 4, 2]


def test_nothing_is_measured_where_there_is_nothing():
    """A split without a row has no figures, rather than zeros."""
    table = measures([], {"Blue Shirt"})
    assert np.isnan(table["value"]).all() and table["pictures"].tolist() == [0, 0, 0]
