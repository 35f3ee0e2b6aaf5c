"""Errors that end a run with a reason a person can act on."""


class GateError(Exception):
    """The data or a model did not pass a gate; nothing was released."""


class WeightsError(Exception):
    """A file of weights cannot be had, is not what it should be, or is not safe to read."""
