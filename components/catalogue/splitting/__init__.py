"""Which rows belong together, and which split each goes to."""
