"""What a store does when the other side falters."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from components.storage.errors import Missing, StorageError
from components.storage.store import Store


class _Faltering(http.server.BaseHTTPRequestHandler):
    """Answers 503 twice on each path, then 200; 404 and 403 where the path says so."""

    asked: dict[str, int]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked[self.path] = self.asked.get(self.path, 0) + 1
        wanted = int(self.path.rpartition("/")[2])
        status = 503 if wanted == 200 and self.asked[self.path] < 3 else wanted
        self.send_response(status)
        self.send_header("Content-Length", "4")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"data")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[str]:
    _Faltering.asked = {}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Faltering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_busy_server_is_asked_again(web: str) -> None:
    """What may pass is tried again, with pauses that grow."""
    assert Store(web).read("200") == b"data"
    assert _Faltering.asked == {"/200": 3}


@pytest.mark.parametrize(("status", "words"), [(404, "there is nothing at"), (403, "permission denied")])
def test_what_is_said_to_be_so_is_not_asked_again(web: str, status: int, words: str) -> None:
    """A missing object and a refusal are told at once."""
    with pytest.raises(StorageError, match=words) as refused:
        Store(web).read(str(status))
    assert isinstance(refused.value, Missing) == (status == 404)
    assert _Faltering.asked == {f"/{status}": 1}


def test_a_busy_server_that_is_asked_for_a_size_is_asked_again(web: str) -> None:
    """fsspec calls that a missing file, which nobody would ask for twice."""
    assert Store(f"{web}/200").size() == 4


@pytest.mark.parametrize(("status", "words"), [(404, "there is nothing at"), (403, "permission denied"), (500, "500")])
def test_why_a_size_is_not_told_is_said(web: str, status: int, words: str) -> None:
    """A refusal, or a server that is broken, is no missing file."""
    with pytest.raises(StorageError, match=words) as refused:
        Store(f"{web}/{status}").size()
    assert isinstance(refused.value, Missing) == (status == 404)


def test_a_server_that_gives_no_parts_of_files_is_told(web: str) -> None:
    """All of a file in place of a part would be read as that part; and one that ends too early is none either."""
    with pytest.raises(StorageError, match="it does not give parts of files: download it"):
        Store(f"{web}/200").read_range(1, 3)
    with pytest.raises(StorageError, match="it changed meanwhile, or its size was told wrongly"):
        Store(f"{web}/200").read_range(0, 9)
