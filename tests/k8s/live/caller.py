"""A light load of both transports, and a count of what was lost; runs in a pod of the merger's image, or anywhere.

``python caller.py --rest http://merger --grpc dns:///merger-grpc:9090`` writes a JSON line a second until SIGTERM.
"""

import argparse
import io
import json
import os
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from typing import Any

from PIL import Image

from serving.client import ClassifierClient

PAUSE_S = 0.05
TIMEOUT_S = 15.0


class Tally:
    """Calls and losses of one transport."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.releases: set[str] = set()
        self.slowest_s = 0.0
        self.last_failure = ""

    def call(self, ask: Callable[[], str]) -> None:
        """Makes one call, which gives the release that answered."""
        started = time.monotonic()
        self.counts["calls"] += 1
        try:
            self.releases.add(ask())
        except Exception as error:  # whatever it is, this call is lost, and the line below says how
            self.counts["lost"] += 1
            self.last_failure = f"{type(error).__name__}: {error}"[:300]
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)

    def report(self) -> dict[str, Any]:
        """What was seen so far."""
        return {
            "calls": self.counts["calls"],
            "lost": self.counts["lost"],
            "slowest_s": round(self.slowest_s, 2),
            "releases": sorted(self.releases),
            "last_failure": self.last_failure,
        }


def picture() -> bytes:
    """A shirt, more or less."""
    image = Image.new("RGB", (60, 80), "white")
    image.paste((180, 30, 40), (15, 20, 45, 70))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rest", required=True, help="URL of the merger")
    parser.add_argument("--grpc", required=True, help="gRPC target of the mergers")
    arguments = parser.parse_args()
    image, key, stopped = picture(), os.environ.get("API_KEY", ""), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    client = ClassifierClient(arguments.grpc, timeout_s=TIMEOUT_S, api_key=key)
    headers = {"content-type": "image/jpeg"} | ({"x-api-key": key} if key else {})
    request = urllib.request.Request(f"{arguments.rest}/v1/classify", image, headers)

    def rest() -> str:
        # A connection a call, so that the Service chooses a pod each time.
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            return str(json.load(reply)["release"])

    tallies = {"rest": Tally(), "grpc": Tally()}
    asks = {"rest": rest, "grpc": lambda: client.classify(image).release}
    threads = [
        threading.Thread(target=_keep_calling, args=(tallies[name], asks[name], stopped), daemon=True) for name in asks
    ]
    for thread in threads:
        thread.start()
    while not stopped.wait(1.0):
        print(json.dumps({name: tally.report() for name, tally in tallies.items()}), flush=True)


def _keep_calling(tally: Tally, ask: Callable[[], str], stopped: threading.Event) -> None:
    while not stopped.wait(PAUSE_S):
        tally.call(ask)


if __name__ == "__main__":
    main()
