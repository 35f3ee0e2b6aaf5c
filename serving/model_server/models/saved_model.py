"""One SavedModel in memory, ready to run.

It is loaded into a session, as TensorFlow Serving does, not by ``tf.saved_model.load``: that builds Python functions,
takes twice as long under the interpreter lock, and can run models that TensorFlow Serving can't (a ``tf.Module`` that
holds a Keras 3 model restores variables there which the signatures never read here).
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.python.framework import ops

from serving.model_server.errors import ServingError
from serving.model_server.models.arrays import Arrays

INIT_SIGNATURE: Final = "__saved_model_init_op"
_CODES: Final = {status.value[0]: status for status in StatusCode}
_GRAPH_DETAILS: Final = re.compile(r"\s*(\[\[.*|\{\{.*|\(\d+\) \w+:.*)", re.DOTALL)

logger = logging.getLogger(__name__)


class LoadOptions(NamedTuple):
    """How sessions are made: the graph's tags, and threads a session (0: TensorFlow's choice)."""

    tags: tuple[str, ...] = ("serve",)
    intra_op_threads: int = 0
    inter_op_threads: int = 0


class Signature:
    """One signature of a loaded model."""

    def __init__(self, name: str, definition: Any, session: Any) -> None:
        self.name = name
        self.inputs: Mapping[str, Any] = dict(definition.inputs)
        """Input name → TensorInfo."""
        self.dtypes: Mapping[str, int] = {output: info.dtype for output, info in sorted(definition.outputs.items())}
        """Output name → DataType."""
        feeds = [info.name for info in self.inputs.values()]
        fetches = [definition.outputs[output].name for output in self.dtypes]
        self._call = session.make_callable(fetches, feeds)

    def run(self, inputs: Arrays) -> Arrays:
        """Run on whole batches; blocks, and is safe to call from several threads.

        Raises:
            ServingError: TensorFlow failed; what it says of the graph goes to the log alone.
        """
        try:
            outputs = self._call(*(inputs[name] for name in self.inputs))
        except tf.errors.OpError as error:
            logger.warning("Signature %s failed: %s", self.name, error)
            raise _without_graph_details(self.name, error) from error
        # A string of no dimensions comes as bytes, which have no shape.
        arrays = [np.array(one, object) if isinstance(one, bytes) else one for one in outputs]
        return dict(zip(self.dtypes, arrays, strict=True))


def _without_graph_details(signature: str, error: tf.errors.OpError) -> ServingError:
    code = _CODES.get(error.error_code, StatusCode.INTERNAL)
    message = f'Running signature "{signature}" failed'
    if code is StatusCode.INVALID_ARGUMENT:
        cause = error.message.removeprefix("Graph execution error:").strip()
        message += ": " + (_GRAPH_DETAILS.sub("", cause) or "the inputs don't fit the model")
    return ServingError(code, message)


class SavedModel:
    """A loaded SavedModel with its signatures."""

    def __init__(self, path: Path, options: LoadOptions) -> None:
        """Load the SavedModel in the folder ``path``; blocks for seconds.

        Raises:
            ServingError: there is none, or it can't be loaded.
        """
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=options.intra_op_threads,
            inter_op_parallelism_threads=options.inter_op_threads,
        )
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph, config=config)
        try:
            with self._graph.as_default():
                meta_graph = tf.compat.v1.saved_model.load(self._session, options.tags, str(path))
            self.signature_defs: Mapping[str, Any] = dict(meta_graph.signature_def)
            self.signatures = self._make_signatures()
        except Exception as error:  # broken files fail in a dozen ways: parsing, missing files, ops, shapes
            self.close()
            raise _load_error(path, error) from error

    def _make_signatures(self) -> dict[str, Signature]:
        callable_ones = {name: definition for name, definition in self.signature_defs.items() if name != INIT_SIGNATURE}
        return {name: Signature(name, definition, self._session) for name, definition in callable_ones.items()}

    def close(self) -> None:
        """Free the model; no run may be under way."""
        self._session.close()
        # A graph is full of cycles, which the garbage collector would find late and stop every thread for.
        ops.dismantle_graph(self._graph)


def _load_error(path: Path, error: Exception) -> ServingError:
    code = _CODES.get(error.error_code, StatusCode.INTERNAL) if isinstance(error, tf.errors.OpError) else None
    if code is None:
        code = StatusCode.NOT_FOUND if not (path / "saved_model.pb").exists() else StatusCode.INTERNAL
    return ServingError(code, f"Can't load the SavedModel at {path}: {type(error).__name__}: {error}")
