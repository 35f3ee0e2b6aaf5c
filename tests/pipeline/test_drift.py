"""``lookbook drift``: what mergers counted, against what eval was like."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.commands.asking.drift import command
from pipeline.drifting.comparing import compare
from pipeline.drifting.seen import Measure
from serving.client import http

LABELS = ("Bags", "Shirts", "Shoes", "Watches")
SHARES = np.array([0.1, 0.4, 0.3, 0.2])
ROWS = 400
RANDOM = np.random.default_rng(3)
EVAL = {
    "article_type": {"kind": "label", "bins": LABELS, "counts": (SHARES * ROWS).astype(int).tolist()},
    "familiarity": {"kind": "number", "bins": ["< 0.5", "0.5 to 0.8", "≥ 0.8"], "counts": [20, 180, 200]},
    "brightness": {"kind": "number", "bins": ["< 0.6", "0.6 to 0.8", "≥ 0.8"], "counts": [133, 134, 133]},
}
for _name, _one in EVAL.items():
    _one["more_is_usual"] = _name == "familiarity"
HOUR = "2026-11-29T08:00:00Z"


def usual(pictures):
    """Counts of pictures like those of eval."""
    return {
        name: RANDOM.multinomial(pictures, np.array(one["counts"]) / sum(one["counts"])).tolist()
        for name, one in EVAL.items()
    }


def merger(counts, instance="a", hour=HOUR, release="3", reference=EVAL):
    rows = [{"hour": hour, "release": release, "counts": counts}]
    return {"instance": instance, "hours": rows, "eval": {release: reference}}


def written(folder, *mergers, name="seen.json"):
    file = folder / name
    file.write_text(json.dumps({"format": 1, "mergers": mergers}))
    return str(file)


def drift(*arguments):
    return CliRunner().invoke(command, [str(one) for one in arguments])


def found(*arguments):
    result = drift(*arguments, "--json")
    assert result.exit_code in (0, 1) and result.stdout.startswith("{"), result.output
    return json.loads(result.stdout), result.exit_code


def test_the_same_kind_of_pictures_is_no_drift(tmp_path):
    """However many or few there are: what chance does is no drift. It is asked of two hundred samples."""
    for pictures in (1, 5, 20, 100, 500):
        for _ in range(40):
            counts = usual(pictures)
            measures = tuple(
                Measure(
                    name, one["kind"] == "label", tuple(one["bins"]), tuple(one["counts"]), tuple(counts[name]), False
                )
                for name, one in EVAL.items()
            )
            assert [one.measure.name for one in compare(measures, 0.02) if one.has_drifted] == []
    result, code = found(written(tmp_path, merger(usual(300))))
    assert (result["drifted"], code, result["pictures"]) == ([], 0, 300)


def test_what_drifted_is_named(tmp_path):
    """Only shoes are another mix of labels; dark pictures are another brightness; each with its farthest bin, and exit
    code 1."""
    shoes = written(tmp_path, merger({**usual(300), "article_type": [0, 0, 300, 0]}))
    result, code = found(shoes)
    assert (result["drifted"], code) == (["article_type"], 1)
    [first, *_] = result["measures"]
    assert first["comparator"] == "l_infinity" and first["distance"] == pytest.approx(0.7)
    assert (first["most"]["bin"], first["most"]["seen"]) == ("Shoes", 1)
    assert "article_type" in drift(shoes).stdout and "Shoes: 100%, in eval 30%" in drift(shoes).stdout
    dark, code = found(written(tmp_path, merger({**usual(300), "brightness": [300, 0, 0]})))
    assert (dark["drifted"], code) == (["brightness"], 1)


def test_a_label_is_no_formula(tmp_path):
    """Two $ in one are money, and the page is drawn all the same."""
    named = {**EVAL, "article_type": {**EVAL["article_type"], "bins": ["$_$", "$$", "$5 or $\\frac$", "A\nB"]}}
    result = drift(written(tmp_path, merger(usual(300), reference=named)), "--report", tmp_path / "drift.html")
    assert result.exit_code == 0, result.output
    assert "<img" in (tmp_path / "drift.html").read_text(encoding="utf-8")


def test_nearer_than_eval_is_no_drift(tmp_path):
    """Pictures that the release learnt from are more familiar than eval was; nobody is woken for that. Less is."""
    near, code = found(written(tmp_path, merger({**usual(300), "familiarity": [0, 0, 300]})))
    assert (near["drifted"], code) == ([], 0)
    assert [one["measure"] for one in near["measures"] if one["nearer_than_eval"]] == ["familiarity"]
    far, _ = found(written(tmp_path, merger({**usual(300), "familiarity": [200, 100, 0]})))
    assert far["drifted"] == ["familiarity"]


def test_few_pictures_raise_no_alarm(tmp_path):
    """Ten shoes are no drift, though all ten are shoes; it says that they are too few."""
    few = {name: (10 * np.array(one["counts"]) // ROWS).tolist() for name, one in EVAL.items()}
    result = drift(written(tmp_path, merger({**few, "article_type": [0, 0, 10, 0]})), "--threshold", 0.01)
    assert result.exit_code == 0, result.stdout
    one = drift(written(tmp_path, merger({"article_type": [0, 0, 1, 0]})))
    assert one.exit_code == 0 and "too few" in one.stdout


@pytest.mark.parametrize("where", ["seen", "eval", "neither tells of any measure"])
def test_nothing_to_compare_is_not_told_as_no_drift(tmp_path, where):
    """Who watches by the exit code alone would go on for ever without anything being watched."""
    none = {name: [0] * len(one["bins"]) for name, one in EVAL.items()}
    reference = {name: {**one, "counts": none[name]} for name, one in EVAL.items()} if where == "eval" else EVAL
    told = {"seen": merger(none), "eval": merger(usual(300), reference=reference)}
    result = drift(written(tmp_path, told.get(where, merger({}, reference={}))), "--json")
    assert (result.exit_code, "nothing to compare: of release 3" in result.output) == (1, True), result.output


def test_mergers_add_up_and_nothing_counts_twice(tmp_path):
    """Two mergers are one sample; a saved file and the merger that it came from are not two."""
    a, b = (
        written(tmp_path, merger(usual(30), "a"), name="a.json"),
        written(tmp_path, merger(usual(50), "b"), name="b.json"),
    )
    result, _ = found(a, b, "--save", tmp_path / "both.json")
    assert (result["pictures"], result["mergers"]) == (80, 2)
    again, _ = found(tmp_path / "both.json", a, b)
    assert again["pictures"] == 80
    later = written(
        tmp_path, merger({name: [2 * one for one in counts] for name, counts in usual(60).items()}, "a"), name="c.json"
    )
    assert found(tmp_path / "both.json", later)[0]["pictures"] == 120 + 50


def test_hours_and_releases_are_kept_apart(tmp_path):
    """The newest release of the newest hours is meant, unless another is asked for."""
    old, new = "2026-11-28T08:00:00Z", "2026-11-29T09:00:00Z"
    mergers = [merger(usual(10), "a", old, "2"), merger(usual(20), "b", HOUR), merger(usual(40), "c", new)]
    file = written(tmp_path, *mergers)
    assert [found(file, *more)[0]["pictures"] for more in ((), ("--hours", 1), ("--release", 2))] == [60, 40, 10]
    assert found(file)[0]["hours"] == [HOUR, new]


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": {}},
        {"hours": [{"hour": [HOUR], "release": "3", "counts": {}}]},
        {"hours": [{"hour": HOUR, "release": 3, "counts": {}}]},
        {"hours": [{"hour": HOUR, "release": "4", "counts": {}}]},
        {"eval": {"3": {"brightness": {"kind": "label", "bins": ["\ud800"], "counts": [1], "more_is_usual": False}}}},
    ],
)
def test_what_no_merger_tells_is_refused(tmp_path, wrong):
    """A file whose parts are of the wrong kind, or do not belong together, is named with what is wrong in it."""
    file = written(tmp_path, merger({}) | wrong)
    result = drift(file)
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert f"{file} is not what a merger's admin port answers" in result.output


@pytest.mark.parametrize("option", ["--save", "--report"])
def test_no_other_file_is_replaced(tmp_path, option):
    """A file that is there and holds something else than what is to be written stays, and is named."""
    counts = written(tmp_path, merger(usual(20)))
    (tmp_path / "styles.csv").write_text("id,articleType\n")
    result = drift(counts, option, tmp_path / "styles.csv")
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "styles.csv is" in result.output and "it is left as it is" in result.output
    assert (tmp_path / "styles.csv").read_text() == "id,articleType\n"
    new = tmp_path / "new"
    assert [drift(counts, option, new).exit_code for _ in range(2)] == [0, 0]


@contextlib.contextmanager
def answering(body):
    """The address of a server that answers this at /seen."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/seen" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_merger_is_asked(tmp_path):
    """By the address of its admin port, with or without the scheme; the page shows each measure."""
    body = json.dumps({"format": 1, "mergers": [merger({**usual(300), "article_type": [0, 0, 300, 0]})]}).encode()
    with answering(body) as address:
        results = [drift(source, "--report", tmp_path / "drift.html") for source in (address, f"http://{address}/seen")]
    assert [result.exit_code for result in results] == [1, 1], results[0].output
    page = (tmp_path / "drift.html").read_text()
    assert page.count("data:image/png") == len(EVAL) and "1 of 3 measures drifted" in page


def test_an_answer_too_long_to_hold_is_told_as_that(monkeypatch):
    """It is not cut and then read as something else."""
    monkeypatch.setattr(http, "MOST_BYTES", 10)
    with answering(b"{" * 11) as address:
        result = drift(address)
    assert result.exit_code == 1 and "more than 10 bytes" in result.stderr


BAD = {
    "no JSON": "nothing",
    "another document": json.dumps({"a": 1}),
    "another format": json.dumps({"format": 9, "mergers": []}),
    "nothing seen": json.dumps({"format": 1, "mergers": []}),
    "counts that do not fit": json.dumps({"format": 1, "mergers": [merger({"article_type": [1]})]}),
    "counts below none": json.dumps({"format": 1, "mergers": [merger({"article_type": [1, 1, 1, -1]})]}),
    "counts past any": json.dumps({"format": 1, "mergers": [merger({"article_type": [1, 1, 1, 10**30]})]}),
    "hours of two kinds": json.dumps({"format": 1, "mergers": [merger({"article_type": [1, 1, 1, 1]}, hour=5)]}),
    "a measure without bins": json.dumps({"format": 1, "mergers": [merger({}, reference=EVAL | {"price": {}})]}),
    "a measure that eval lacks": json.dumps({"format": 1, "mergers": [merger({"price": [1]})]}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=list(BAD))
def test_what_is_no_count_is_refused_in_words(tmp_path, text):
    """No traceback, exit code 1, and the source is named or it is said what to do."""
    (tmp_path / "seen.json").write_text(text)
    result = drift(tmp_path / "seen.json")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "seen.json" in result.stderr or "ask the merger" in result.stderr


def test_a_source_that_is_not_there(tmp_path):
    """A closed port, a missing file and what is no address are told as what they are."""
    for source in ("127.0.0.1:1", "127.0.0.1:port", "no file"):
        result = drift(source)
        assert result.exit_code == 1 and f"{source}/seen" in result.stderr
    assert "is a folder" in drift(tmp_path).stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_counts_are_read_as_a_shell_writes_them(tmp_path, encoding):
    """What was saved through a pipe of Windows is read too."""
    text = json.dumps({"format": 1, "mergers": [merger({"article_type": [5, 5, 5, 5]})]})
    (tmp_path / "seen.json").write_text(text, encoding=encoding)
    assert "20 pictures" in drift(tmp_path / "seen.json").stdout


def test_a_threshold_that_is_no_number_is_wrong_use(tmp_path):
    """Nothing drifts beyond it, so it would be a silent alarm."""
    assert drift("--threshold", "nan").exit_code == 2


def test_releases_of_different_roots_are_not_added(tmp_path):
    """Two mergers with a release 3 that is not the same one cannot be compared together, and it is said why."""
    other = {**EVAL, "brightness": {**EVAL["brightness"], "counts": [1, 1, 1]}}
    result = drift(written(tmp_path, merger(usual(9), "a"), merger(usual(9), "b", reference=other)))
    assert result.exit_code == 1 and "different" in result.stderr
