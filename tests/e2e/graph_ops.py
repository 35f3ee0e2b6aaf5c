"""The ops of a SavedModel, held against those of a TensorFlow that may have to run it.

``tensorflow_2.16.2_ops.txt`` has each op of TensorFlow 2.16.2 with its attributes, one a line. TensorFlow Serving
2.16.1 is built on it, the oldest that k8s/README.md allows. It was written by ``python -m tests.e2e.graph_ops`` in the
older stack's environment, where that version is.
"""

from pathlib import Path
from typing import Final

from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf import saved_model_pb2

OLDEST: Final = "2.16.2"
KNOWN: Final = Path(__file__).with_name(f"tensorflow_{OLDEST}_ops.txt")


def unknown_to_the_oldest(model: Path) -> set[str]:
    """Ops, and attributes of ops as ``op.attribute``, of the SavedModel in a folder that the oldest server lacks.

    Attributes that begin with an underscore are hints, which whoever does not know them passes over.
    """
    known = {op: set(attributes) for op, *attributes in map(str.split, KNOWN.read_text("utf-8").splitlines())}
    unknown = set()
    for node, functions in _nodes(model):
        if node.op not in known and node.op not in functions:
            unknown.add(node.op)
        told = {name for name in node.attr if not name.startswith("_")}
        unknown |= {f"{node.op}.{name}" for name in told - known.get(node.op, told)}
    return unknown


def _nodes(model: Path):
    saved = saved_model_pb2.SavedModel.FromString((model / "saved_model.pb").read_bytes())
    for graph in (one.graph_def for one in saved.meta_graphs):
        functions = {function.signature.name for function in graph.library.function}
        for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
            yield from ((node, functions) for node in nodes)


def main() -> None:
    """Writes the list of the installed TensorFlow, if it is the oldest."""
    import tensorflow as tf
    from tensorflow.python.client import pywrap_tf_session as session

    assert tf.__version__ == OLDEST, f"this is TensorFlow {tf.__version__}; the list is of {OLDEST}"
    ops = op_def_pb2.OpList.FromString(bytes(session.TF_GetBuffer(session.TF_GetAllOpList()))).op
    lines = sorted(" ".join([op.name, *(attribute.name for attribute in op.attr)]) for op in ops)
    KNOWN.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
