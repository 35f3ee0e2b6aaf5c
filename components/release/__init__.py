"""From two models to one release: the serving check, the baseline, the pair."""
