"""Batches of arrays: joined along their first dimension, run as one, cut apart again."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
from grpc import StatusCode

from serving.model_server.errors import ServingError, internal_error, invalid_argument

Arrays = dict[str, np.ndarray]
Outcome = Arrays | ServingError

logger = logging.getLogger(__name__)


def row_count(inputs: Arrays) -> int:
    """The common size of the first dimension of all arrays.

    Raises:
        ServingError: INVALID_ARGUMENT, one has no dimension, or they differ in the first.
    """
    if any(not array.ndim for array in inputs.values()):
        raise invalid_argument("Batching Run() input tensors must have at least one dimension")
    sizes = {len(array) for array in inputs.values()}
    if len(sizes) > 1:
        raise invalid_argument("Batching Run() input tensors must have equal 0th-dimension size")
    return sizes.pop() if sizes else 1


def concatenate(parts: Sequence[Arrays]) -> Arrays:
    """Join arrays of the same names along their first dimension."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def cut(inputs: Arrays, rows: int) -> list[Arrays]:
    """Cut arrays into pieces of at most ``rows``."""
    starts = range(0, row_count(inputs), rows)
    return [{name: array[start : start + rows] for name, array in inputs.items()} for start in starts]


def split(outputs: Arrays, rows: Sequence[int]) -> list[Arrays]:
    """Cut arrays into pieces of the sizes ``rows``.

    Raises:
        ServingError: FAILED_PRECONDITION, an output hasn't a row for each row of the inputs.
    """
    if any(not array.ndim or len(array) != sum(rows) for array in outputs.values()):
        raise ServingError(
            StatusCode.FAILED_PRECONDITION,
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the inputs",
        )
    pieces: list[Arrays] = []
    start = 0
    for count in rows:
        pieces.append({name: array[start : start + count] for name, array in outputs.items()})
        start += count
    return pieces


def run_together(run: Callable[[Arrays], Arrays], requests: Sequence[Arrays]) -> list[Outcome]:
    """Run several requests as one; if that fails, each alone, so that a bad one harms nobody else."""
    if len(requests) == 1:
        return [_run_alone(run, requests[0])]
    try:
        return list(split(run(concatenate(requests)), [row_count(inputs) for inputs in requests]))
    except Exception:  # whatever it was, the outcome of each alone tells
        return [_run_alone(run, inputs) for inputs in requests]


def _run_alone(run: Callable[[Arrays], Arrays], inputs: Arrays) -> Outcome:
    try:
        return run(inputs)
    except ServingError as error:
        return error
    except Exception:  # an outcome lost here would leave its caller waiting for ever
        logger.exception("A run failed in an unforeseen way")
        return internal_error()
