"""Pictures behind URLs: fetched where it is asked for, from where it is allowed, once; each failure is a row."""

import http.server
import threading
from collections import Counter

import pytest

from components.catalogue.importing import fetching
from tests.components.catalogue.importing.layouts import imported, lookbook_import, rejected, sheet, styles
from tests.drawing import encoded, pixels


class Shop(http.server.BaseHTTPRequestHandler):
    """A shop's picture server with all that can go wrong."""

    asked: Counter[str]
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.asked[self.path] += 1
        if self.path.startswith("/moved"):
            self.answer(302, b"", Location=self.path.removeprefix("/moved?"))
        elif self.path == "/page.jpg":
            self.answer(200, b"<html>Please log in</html>")
        elif self.path == "/huge.jpg":
            self.answer(200, encoded(pixels(1)) + b"\0" * (self.server.most + 1))
        elif self.path == "/busy.jpg" and self.asked[self.path] < 3:
            self.answer(503, b"")
        elif self.path == "/gone.jpg":
            self.answer(404, b"")
        else:
            self.answer(200, encoded(pixels(len(self.path))))

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def shop(monkeypatch):
    monkeypatch.setattr(fetching, "_PAUSE", 0.01)
    monkeypatch.setattr(fetching, "MAX_IMAGE_BYTES", 200_000)
    handler = type("Handler", (Shop,), {"asked": Counter()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.most = 200_000
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler.asked
    server.shutdown()
    server.server_close()


def feed(tmp_path, *urls):
    labels = {"product_type": "Shirts", "sub category": "Topwear", "master_category": "Apparel"}
    source = tmp_path / "feed" / "feed.tsv"
    source.parent.mkdir(exist_ok=True)
    rows = [{"id": f"P{index}", **labels, "image_link": url} for index, url in enumerate(urls)]
    source.write_text(sheet(rows, "\t"), encoding="utf-8")
    return source


def test_nothing_is_fetched_unless_asked_for(tmp_path, shop):
    """A sheet of URLs is no reason to call anybody; the error names the option."""
    address, asked = shop
    result = lookbook_import(feed(tmp_path, f"{address}/a.jpg"), tmp_path / "out")
    assert result.exit_code == 1
    assert "--fetch" in result.output
    assert not asked


def test_each_failure_is_a_row_and_the_rest_is_there(tmp_path, shop):
    """Not found, a page and no picture, too many bytes, another scheme, a redirect elsewhere: rows with reasons."""
    address, _ = shop
    urls = (
        "/a.jpg",
        "/gone.jpg",
        "/page.jpg",
        "/huge.jpg",
        "/busy.jpg",
        "/moved?file:///etc/passwd",
        f"/moved?{address}/b",
    )
    source = feed(tmp_path, *(address + url for url in urls), "ftp://x.test/1.jpg", "data:image/png;base64,AA")
    imported(source, tmp_path / "out", "--fetch", "--allow-private")
    assert sorted(styles(tmp_path / "out")) == ["P0", "P4", "P6"]
    reasons = {place.partition(":")[2]: words for place, words in rejected(tmp_path / "out").items()}
    assert (
        reasons["3"][0]
        == reasons["5"][0]
        == reasons["7"][0]
        == reasons["9"][0]
        == reasons["10"][0]
        == "image not fetched"
    )
    assert "404" in reasons["3"][1]
    assert reasons["4"][0] in ("undecodable image", "unsupported image")
    assert "200,000 bytes" in reasons["5"][1]


def test_a_second_import_fetches_only_what_is_missing(tmp_path, shop):
    """What is there stays; what failed is tried again; a URL that changed is fetched anew."""
    address, asked = shop
    urls = [f"{address}/{name}.jpg" for name in ("a", "bb", "gone")]
    source = feed(tmp_path, *urls)
    imported(source, tmp_path / "out", "--fetch", "--allow-private")
    first = (tmp_path / "out" / "images" / "P1.jpg").read_bytes()
    feed(tmp_path, urls[0], f"{address}/changed.jpg", urls[2])
    told = imported(source, tmp_path / "out", "--fetch", "--allow-private")
    assert told["taken"] == 2
    assert asked == {"/a.jpg": 1, "/bb.jpg": 1, "/changed.jpg": 1, "/gone.jpg": 2}
    assert (tmp_path / "out" / "images" / "P1.jpg").read_bytes() != first


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_a_sheet_cannot_make_us_call_our_own_network(tmp_path, shop, host):
    """By number, by name, in any notation: this machine is not called unless that is allowed."""
    address, asked = shop
    port = address.rpartition(":")[2]
    result = lookbook_import(feed(tmp_path, f"http://{host}:{port}/a.jpg"), tmp_path / "out", "--fetch")
    assert result.exit_code == 1
    assert "--allow-private" in result.output or "not a canonical IPv4 address" in result.output
    assert not asked
