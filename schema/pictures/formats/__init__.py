"""One module for each format: its header, read in one bounded pass, and its pixels' bytes without the rest."""
