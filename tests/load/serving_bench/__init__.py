"""What serving costs: five ways to the same two models, side by side.

``make bench-serving``, or::

    .venv/serving/bin/python -m tests.load.serving_bench --release build/lookbook/release

Four minutes on two cores; nothing else should run meanwhile. Prints a table and writes ``build/bench/serving.json``.
The same pictures go, from 1, 8 and 32 callers at once, each with one picture at a time, to

- the ``scores`` signatures in one process with TensorFlow, no network at all (``raw``),
- the model server, by two concurrent Predict calls a picture (``direct``),
- the merger by gRPC (``grpc``) and by REST (``rest``),
- what one writes first: FastAPI and two ``keras.predict`` calls (``naive``).

The load generator takes its share of the same cores, the same for all but ``raw``.
"""
