"""What can be wrong with a catalogue as a whole; faults of single rows are findings, not errors."""


class CatalogueError(ValueError):
    """The catalogue cannot be read, or too much of it is faulty: what, where, and what would be right."""
