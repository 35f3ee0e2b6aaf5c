"""``python -m serving.model_server --model_config_file=… --port=8500 --rest_api_port=8501``."""

import asyncio
import logging
import os
import signal
import sys
from typing import Final

from schema.allocator import SERVING_BYTES, keep_freed_memory
from serving.model_server import config
from serving.model_server.flags import Options, parse
from serving.model_server.protos import ConfigError

FAILED: Final = 255
"""Exit status of a server that can't start, that of tensorflow_model_server."""


async def serve(options: Options) -> None:
    """Run the server until SIGTERM or SIGINT.

    Raises:
        ConfigError: it can't start; only what needs TensorFlow to be found out comes after its slow import.
    """
    configuration = config.read(options)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported
    from serving.model_server.server import ModelServer

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # that session loading is deprecated: see saved_model.py
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await ModelServer(options, configuration).run(stopped)


def main() -> None:
    """Serve until told to stop; exits 255 if the flags or files are wrong, or a model does not come up at the start."""
    keep_freed_memory(SERVING_BYTES)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(serve(parse(sys.argv[1:])))
    except ConfigError as error:
        print(f"Failed to start server. Error: {error}", file=sys.stderr)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
