"""What a command answers with exit code 1: the reason, for a person, without a traceback."""


class RunError(Exception):
    """A command cannot do what it was asked to; the message says why and what would help."""
