"""What a request says beside its pictures: names that are unknown, told twice, or cut short are refused, by name."""

import asyncio
import base64
import gzip
import json
import random
from typing import Any

import pytest

from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.rest.asking import JPEG, RED, problem
from tests.serving.merger_process import MergerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = ("a.jpg", RED)
TEXT = (None, "7")
BASE64 = base64.b64encode(RED).decode()
BASE64_OF_NOISE = base64.b64encode(random.Random(0).randbytes(6000)).decode()
FORMS: dict[str, tuple[str, Any, str, list[str]]] = {
    "another field": ("classify", {"image": FILE, "top_k": TEXT}, "invalid_request", ["top_k", "“image”", "address"]),
    "another file": ("classify", {"image": FILE, "thumb": FILE}, "invalid_request", ["“thumb”", "“image”"]),
    "a misspelt one": ("classify", {"Image": FILE}, "image_missing", ["“Image”", "“image”"]),
    "the batch's field": ("classify", {"images": FILE}, "image_missing", ["“images”", "“image”"]),
    "one picture's field": ("classify:batch", {"image": FILE}, "image_missing", ["“image”", "“images”"]),
    "three others": (
        "explain", {"image": FILE, "head": TEXT, "b": TEXT, "c": TEXT}, "invalid_request", ["“b”, “c”, “head”"],
    ),
    "text, no file": ("classify", {"image": TEXT}, "image_missing", ["text", "@photo.jpg"]),
    "a file and text": ("classify:batch", [("images", FILE), ("images", TEXT)], "image_missing", ["text"]),
    "two files": ("classify", [("image", FILE), ("image", FILE)], "invalid_request", ["2 files", "at most 1"]),
    "an empty file": ("classify", {"image": ("a.jpg", b"")}, "image_missing", ["empty"]),
}  # fmt: skip


@pytest.mark.parametrize(("method", "files", "code", "words"), FORMS.values(), ids=list(FORMS))
async def test_forms(
    running: MergerProcess, fake: FakeModelServer, method: str, files: Any, code: str, words: list[str]
) -> None:
    """No part of a form is left out in silence: each that is not taken is named, with what would be right."""
    detail = problem(await running.http.post(f"/v1/{method}", files=files), code)["detail"]
    assert all(word in detail for word in words), detail
    assert not fake.models["category"].calls


NAMELESS = {
    "Content-Type: image/jpeg": "",
    "Content-Type: application/octet-stream": "",
    "X-Other: 1; filename*=utf-8''caf%C3%A9%22.jpg": 'café".jpg',
    "X-Other: 1; filename*=iso-8859-1''caf%E9.jpg": "café.jpg",
    "X-Other: 1; filename*=undefined''%FF": "ÿ",
    "X-Other: 1; filename*=idna''%FF%FF": "ÿÿ",
    "X-Other: 1; filename*=punycode''a-b": "a-b",
    'Content-Type: image/jpeg; name="café.jpg"': "café.jpg",
}


@pytest.mark.parametrize(("header", "name"), NAMELESS.items(), ids=list(NAMELESS))
async def test_files_without_a_plain_name(
    running: MergerProcess, fake: FakeModelServer, header: str, name: str
) -> None:
    """A picture's part is a file too where a client sends its bytes without a name, or with one in its long form."""
    kind, _, long_form = header.partition("; filename")
    long_form = long_form and f"filename{long_form}"
    disposition = "; ".join(filter(None, ['form-data; name="images"', long_form]))
    head = f"--x\r\n{kind}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    said = {"content-type": "multipart/form-data; boundary=x"}
    body = head + RED + b"\r\n--x--\r\n"
    [result] = (await running.http.post("/v1/classify:batch", content=body, headers=said)).json()["results"]
    assert (result["id"], result["error"]) == (name, None)


@pytest.mark.parametrize("cut", [6, 200])
async def test_forms_cut_short(running: MergerProcess, fake: FakeModelServer, cut: int) -> None:
    """A form without its end is refused whole; the pictures that came are no answer to it."""
    built = running.http.build_request("POST", "/v1/classify:batch", files=[("images", FILE), ("images", FILE)])
    kind = {"content-type": built.headers["content-type"]}
    reply = await running.http.post("/v1/classify:batch", content=built.read()[:-cut], headers=kind)
    assert "cut short" in problem(reply, "invalid_request")["detail"]


CHARSETS = ["latin-1", "nonsense", "UTF-8", "undefined", "idna", "punycode", "utf-16", "hex", "unicode_escape"]


@pytest.mark.parametrize("charset", CHARSETS)
async def test_charsets_of_forms(running: MergerProcess, fake: FakeModelServer, charset: str) -> None:
    """A form's charset says nothing of pictures, and a name is UTF-8 whatever it says."""
    built = running.http.build_request("POST", "/v1/classify:batch", files={"images": ("Größe-.jpg", RED)})
    said = {"content-type": f"{built.headers['content-type']}; Charset={charset}"}
    reply = await running.http.post("/v1/classify:batch", content=built.read(), headers=said)
    [result] = reply.json()["results"]
    assert (result["id"], result["error"]) == ("Größe-.jpg", None)


async def test_no_charset_takes_long(running: MergerProcess, fake: FakeModelServer) -> None:
    """A megabyte of text is read as quickly as ever, where the codec that its form names would take a minute."""
    text = b"a-" + b"a" * 1_000_000
    body = b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n' + text + b"\r\n--x--\r\n"
    said = {"content-type": "multipart/form-data; boundary=x; charset=punycode"}
    reply = await asyncio.wait_for(running.http.post("/v1/classify", content=body, headers=said), 20)
    assert "“n”" in problem(reply, "image_missing")["detail"]


@pytest.mark.parametrize("kind", ["image/jpg; charset=binary", "IMAGE/X-PNG;q=1", "Application/Octet-Stream; a=b"])
async def test_parameters_of_types(running: MergerProcess, fake: FakeModelServer, kind: str) -> None:
    """What stands behind a content type, and how it is written, does not matter."""
    reply = await running.http.post("/v1/classify", content=RED, headers={"content-type": kind})
    assert reply.status_code == 200, reply.text


QUERIES = {
    "misspelt": ("top_K=2", ["'top_K'", "allow_partial, top_k, timeout_ms"]),
    "of another call": ("head=gender", ["'head'"]),
    "twice": ("top_k=2&top_k=3", ["top_k 2 times"]),
}


@pytest.mark.parametrize(("query", "words"), QUERIES.values(), ids=list(QUERIES))
async def test_queries(running: MergerProcess, fake: FakeModelServer, query: str, words: list[str]) -> None:
    """An option that is unknown, or told twice, is refused; no other answer comes than the one asked for."""
    detail = problem(await running.http.post(f"/v1/classify?{query}", content=RED, headers=JPEG), "invalid_request")
    assert all(word in detail["detail"] for word in words), detail


BATCHES = {
    "of the batch": ('{"items": [], "top_k": 3}', ["it has", "“top_k”", "items, options"]),
    "of an item": ('{"items": [{"image": "", "title": "a"}]}', ["items[0]", "“title”", "id, image, name"]),
    "of the options": ('{"options": {"topk": 3}}', ["options has", "“topk”", "top_k"]),
    "twice": ('{"items": [{"id": "a", "id": "b"}]}', ["“id”", "2 times"]),
    "lists twice": ('{"items": [{"id": "a"}], "items": []}', ["“items”", "2 times"]),
    "by both of its names": ('{"options": {"top_k": 3, "topK": 4}}', ["“top_k”", "2 times"]),
    "half a surrogate pair": ('{"\\ud800": 1}', ["“\\ud800”", "items, options"]),
    "a long text": ('{"photo": "' + "a" * 5000 + '"}', ["“photo”"]),
    "a wrong type": ('{"options": {"top_k": "many"}}', ["many"]),
    "an id that is a number": ('{"items": [{"id": 10001}]}', ["items[0].id must be text in quotes, not 10001"]),
    "an image that is a list": (
        '{"items": [{"image": [1, 2]}]}',
        ["items[0].image must be text in quotes, not [1, 2]"],
    ),
}


@pytest.mark.parametrize(("body", "words"), BATCHES.values(), ids=list(BATCHES))
async def test_json(running: MergerProcess, fake: FakeModelServer, body: str, words: list[str]) -> None:
    """A name that no batch has, or that comes twice, is refused with its place and the names that are right."""
    json_type = {"content-type": "application/json"}
    reply = await running.http.post("/v1/classify:batch", content=body, headers=json_type)
    detail = problem(reply, "invalid_request")["detail"]
    assert all(word in detail for word in words), detail


def folded(text: str, width: int, between: str, first: int | None = None) -> str:
    """The text in lines, of which the first may be shorter."""
    begin = width if first is None else first
    return between.join([text[:begin], *(text[at : at + width] for at in range(begin, len(text), width))])


NO_PICTURES = {
    "text": ("<svg>", "'<>'"),
    "long text": ("!" * 5000, "'!!!!"),
    "a data URL of text": ("data:image/jpeg,%FF%D8", "without Base64"),
    "a long data URL of text": ("data:image/jpeg," + "%FF" * 5000, "without Base64"),
    "too short": ("A", "not Base64"),
    "long and short of a character": ("A" * 5001, "not Base64"),
    "of another alphabet": ("Größe", "not Base64"),
    "as a form reads it": (BASE64_OF_NOISE[:4000].replace("+", " "), "in the place of “+”"),
    "in a data URL, as a form reads it": (
        "data:image/png;base64," + folded(BASE64_OF_NOISE[:2000], 76, "\n", 54).replace("+", " "),
        "in the place of “+”",
    ),
    "as a form reads a long one": ("data:;base64," + BASE64_OF_NOISE.replace("+", " "), "in the place of “+”"),
}


FOLDS = [(76, None), (64, None), (76, 54), (76, 55), (72, 72)]


@pytest.mark.parametrize("between", [" ", "  ", "\n", "\r\n", "\n    ", "\t"])
@pytest.mark.parametrize("text", [BASE64_OF_NOISE[:400], BASE64_OF_NOISE], ids=["short", "long"])
async def test_folded_text(running: MergerProcess, fake: FakeModelServer, text: str, between: str) -> None:
    """Lines are taken as mail, PEM and folded data URLs have them; any width goes where no “+” can be missing."""
    widths = FOLDS if not between.strip(" ") else [*FOLDS, (75, None), (7, 3), (99, None)]
    folds = [
        ("data:image/png;base64," if first else "") + folded(text, width, between, first) for width, first in widths
    ]
    batch = {"items": [{"image": one, "id": str(i)} for i, one in enumerate(folds)]}
    reply = await running.http.post("/v1/classify:batch", json=batch)
    for result in reply.json()["results"]:
        assert "“+”" not in str(result) and "Base64" not in str(result)


@pytest.mark.parametrize(("text", "words"), NO_PICTURES.values(), ids=list(NO_PICTURES))
async def test_text_that_is_no_base64(running: MergerProcess, fake: FakeModelServer, text: str, words: str) -> None:
    """A picture whose text cannot be read has its own error, which names it, and disturbs no other."""
    batch = {"items": [{"image": BASE64, "id": "a"}, {"image": text, "id": "b"}]}
    reply = (await running.http.post("/v1/classify:batch", json=batch)).json()
    good, bad = reply["results"]
    assert good["answer"]["article_type"]["label"] == tiny_models.expected("red", 1)["article_type"]
    assert (bad["id"], bad["answer"], bad["error"]["code"]) == ("b", None, "image_undecodable")
    assert "items[1].image" in bad["error"]["detail"] and words in bad["error"]["detail"], bad["error"]


@pytest.mark.parametrize("body", [RED, gzip.compress(b"{}")], ids=["a picture", "gzip"])
async def test_no_json(running: MergerProcess, fake: FakeModelServer, body: bytes) -> None:
    """What is no text at all, under the content type that curl says of anything, is not called text of an encoding."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    reply = await running.http.post("/v1/classify:batch", content=body, headers=form)
    detail = problem(reply, "invalid_request")["detail"]
    assert "not UTF-8" in detail and "UTF-16" not in detail


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
@pytest.mark.parametrize("image", ["", base64.b64encode(RED * 3).decode()])
async def test_json_is_utf_8(running: MergerProcess, fake: FakeModelServer, encoding: str, image: str) -> None:
    """JSON in another encoding is refused with the right one, whatever its type says; a mark in front is no harm."""
    text = json.dumps({"items": [{"id": "Größe", "image": image}]}, ensure_ascii=False)
    said = {"content-type": f"application/json; charset={encoding}"}
    reply = await running.http.post("/v1/classify:batch", content=text.encode(encoding), headers=said)
    assert "UTF-8" in problem(reply, "invalid_request")["detail"]
    marked = await running.http.post("/v1/classify:batch", content=text.encode("utf-8-sig"), headers=said)
    assert marked.json()["results"][0]["id"] == "Größe"


async def test_names_in_camel_case(running: MergerProcess, fake: FakeModelServer) -> None:
    """Names as protobuf writes them in JSON are as good as those of the contract."""
    batch = {"items": [{"image": BASE64}], "options": {"topK": 2, "allowPartial": True}}
    [result] = (await running.http.post("/v1/classify:batch", json=batch)).json()["results"]
    assert len(result["answer"]["article_type"]["top_k"]) == 2
    assert result["answer"]["article_type"]["label"] == tiny_models.expected("red", 1)["article_type"]
