"""Runs the merger: ``python -m serving``; ``python -m serving --help`` lists the settings."""

import asyncio
import gc
import logging
import os
import signal
import sys

import uvloop

from serving.local.standard_streams import open_closed
from serving.merger.core.errors import SettingsError
from serving.merger.settings import Settings, table

HELP = f"""\
Usage: python -m serving

The merger: gRPC, REST and the page over the two models. Every setting is an environment variable:

{table()}
"""


async def run(settings: Settings) -> None:
    """Serves until SIGTERM (in order) or SIGINT (at once, but finishing what is under way, unless it comes again)."""
    from serving.merger.server import Server

    server = Server(settings)
    stopped: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def stop(delay_s: float) -> None:
        if not stopped.done():
            stopped.set_result(delay_s)

    loop = asyncio.get_running_loop()
    hurries: set[asyncio.Task[None]] = set()

    def interrupt() -> None:
        stop(0.0)
        hurries.add(loop.create_task(server.hurry()))

    loop.add_signal_handler(signal.SIGTERM, stop, settings.shutdown_delay_ms / 1000)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        await server.start()
    except OSError:
        await server.stop(0.0)  # what has started by then
        raise
    gc.enable()
    gc.freeze()  # what the imports made stays for good; collections need not walk over it
    await server.stop(await stopped)


def main() -> int:
    """The command line; returns the exit status."""
    open_closed()
    if len(sys.argv) > 1:
        print(HELP, end="")
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    gc.disable()  # nothing that is imported is garbage, and looking for some costs a tenth of the start
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    from serving.merger.json_logs import configure_logging

    configure_logging(settings.log_level)
    if unknown := Settings.unknown(os.environ):
        logging.getLogger("serving").warning("unknown settings are ignored", extra={"variables": unknown})
    try:
        uvloop.install()  # a tenth less CPU an answer than asyncio's own loop
        asyncio.run(run(settings))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        logging.getLogger("serving").error("cannot serve", extra={"reason": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
