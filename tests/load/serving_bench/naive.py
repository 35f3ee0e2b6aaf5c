"""What one writes first: FastAPI, a model in a global variable, ``predict`` in the handler.

Runs in the pipeline's environment with fastapi, uvicorn and python-multipart added:
``python -m tests.load.serving_bench.naive RELEASE VERSION PORT``
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
import uvicorn
from fastapi import FastAPI, Request

from schema import heads as table
from schema import names


def load(path: str) -> keras.Model:
    """A SavedModel's default signature as a Keras model: string[N] → its outputs."""
    inputs = keras.Input(shape=(), dtype="string", name=names.IMAGE)
    return keras.Model(inputs, keras.layers.TFSMLayer(path, call_endpoint=names.SERVING_DEFAULT)(inputs))


def main() -> None:
    """The command line."""
    release, version, port = sys.argv[1:]
    models = [load(f"{release}/{model}/{version}") for model in table.MODELS]
    app = FastAPI()

    @app.post("/v1/classify")
    async def classify(request: Request) -> dict[str, str]:
        image = tf.constant([await request.body()])
        outputs: dict = {}
        for model in models:
            outputs |= model.predict(tf.data.Dataset.from_tensors(image), verbose=0)
        levels = [head.name for head in table.taxonomy()]
        return {level: outputs[names.labels_tensor(level)][0][0].decode() for level in levels}

    uvicorn.run(app, port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
