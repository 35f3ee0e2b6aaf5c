"""Alerts and dashboard ask for metrics that the code really has, in PromQL that parses, and the runbook knows them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from serving.merger.core.errors import HTTP_STATUS, DeadlineExceeded, NoIndex, ReviewOff
from serving.merger.models.backend import CALLER_DEADLINE
from serving.merger.review.desk import ReviewMetrics
from serving.merger.telemetry import Telemetry
from serving.model_server.metrics import Metrics
from serving.proto.lookbook.v1 import classifier_pb2
from tests.k8s import rendering
from tests.k8s.manifests import Manifests

FOREIGN: Final = {
    "up",
    "kube_job_failed",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
}
"""Prometheus' own, kube-state-metrics' and the kubelet's."""
FAULTS: Final = 500
PROMTOOL: Final = shutil.which("promtool")
EVAL_ROWS: Final = 400

needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool, which comes with Prometheus, is not on the PATH")


@pytest.fixture(scope="module")
def manifests() -> Manifests:
    """The base with monitoring."""
    return rendering.combination("monitoring")


def _rules(manifests: Manifests) -> list[dict[str, Any]]:
    [group] = manifests.get("PrometheusRule", "lookbook")["spec"]["groups"]
    return list(group["rules"])


def _dashboard(manifests: Manifests) -> dict[str, Any]:
    config = manifests.get("ConfigMap", "dashboard-lookbook")
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    return dict(json.loads(config["data"]["lookbook.json"]))


def _adapter_query() -> str:
    text = (rendering.K8S / "components/autoscaling-in-flight/prometheus-adapter-values.yaml").read_text()
    query: str = yaml.safe_load(text)["rules"]["custom"][0]["metricsQuery"]
    return query.replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", 'namespace="lookbook"')


def _expressions(manifests: Manifests) -> list[str]:
    panels = [target["expr"] for panel in _dashboard(manifests)["panels"] for target in panel["targets"]]
    alerts = [rule["expr"] for rule in _rules(manifests)]
    return [*alerts, _adapter_query(), *(text.replace("$__rate_interval", "5m") for text in panels)]


def _selectors(text: str) -> Iterator[Any]:
    """Every vector selector of an expression."""
    found: list[Any] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        elif isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql_parser.walk(promql_parser.parse(text), visit)
    return iter(found)


def _exposed() -> set[str]:
    """Names of all series that merger and model server can expose, with and without samples."""
    telemetry = Telemetry()
    telemetry.watch(lambda: 0, lambda: 0)
    ReviewMetrics(telemetry.registry)
    text = generate_latest(telemetry.registry).decode() + Metrics().page().decode()
    exposed: set[str] = {":tensorflow:serving:request_count"}
    for family in text_string_to_metric_families(text):
        exposed |= {family.name, *(sample.name for sample in family.samples)}
        exposed |= {f"{family.name}{suffix}" for suffix in ("_total", "_bucket", "_count", "_sum")}
    return exposed


def test_every_expression_asks_for_metrics_that_exist(manifests: Manifests) -> None:
    """A renamed metric would leave an alert silent for ever."""
    asked = {selector.name for text in _expressions(manifests) for selector in _selectors(text)}
    assert len(asked) > 10
    assert asked <= _exposed() | FOREIGN


def test_failing_answers_are_those_by_our_fault(manifests: Manifests) -> None:
    """The alert on failing answers counts the codes of 5xx answers but those that a caller gets at will, by giving
    little time or by asking for what the release or this merger lacks: nobody can page someone with that."""
    [rule] = [rule for rule in _rules(manifests) if rule["alert"] == "LookbookAnswersFail"]
    codes = re.search(r'code=~"([a-z_|]+)"', rule["expr"])
    assert codes
    ours = {code for code, status in HTTP_STATUS.items() if status >= FAULTS}
    assert set(codes[1].split("|")) == ours - {DeadlineExceeded.code, NoIndex.code, ReviewOff.code}


def test_no_caller_makes_the_models_look_bad(manifests: Manifests) -> None:
    """Calls to a model that a caller's own short deadline cut off count in no alert."""
    [rule] = [rule for rule in _rules(manifests) if rule["alert"] == "LookbookModelCallsFail"]
    assert f'code!~"OK|{CALLER_DEADLINE}"' in rule["expr"]


def test_a_review_store_in_trouble_is_told(manifests: Manifests) -> None:
    """One alert on a store that is away, one on answers that it loses, by a label that is counted from the start."""
    asked = {str(one) for rule in _rules(manifests) for one in _selectors(rule["expr"])}
    telemetry = Telemetry()
    ReviewMetrics(telemetry.registry)
    assert 'lookbook_review_store_up{job="merger"}' in asked
    assert 'lookbook_review_answers_total{job="merger",outcome="lost"}' in asked
    assert telemetry.registry.get_sample_value("lookbook_review_answers_total", {"outcome": "lost"}) == 0


def test_slow_answers_are_those_about_one_picture(manifests: Manifests) -> None:
    """The methods are names that are counted: gRPC's own, and that of REST's function."""
    [rule] = [rule for rule in _rules(manifests) if rule["alert"] == "LookbookAnswersSlow"]
    [methods] = re.findall(r'method=~"([A-Za-z_|]+)"', rule["expr"])
    rpcs = set(classifier_pb2.DESCRIPTOR.services_by_name["Classifier"].methods_by_name)
    rest = (rendering.ROOT / "serving/merger/rest/app.py").read_text()
    by_rest = {
        name for name in methods.split("|") if re.search(rf'post\("/v1/classify".*\n    async def {name}\(', rest)
    }
    assert set(methods.split("|")) == (rpcs & {"Classify"}) | by_rest
    assert len(by_rest) == 1


def test_monitors_read_the_pages_of_metrics(manifests: Manifests) -> None:
    """Both monitors ask for the path under which the metrics are."""
    paths = {name: endpoint["path"] for name, endpoint in manifests.monitored().items()}
    config = manifests.get("ConfigMap", "tensorflow-serving")["data"]["monitoring.config"]
    assert f'path: "{paths["model-server"]}"' in config
    assert paths["merger"] == "/metrics"  # the pod run asks it


def test_every_alert_has_a_runbook(manifests: Manifests) -> None:
    """Whoever is woken finds what the alert means and what to do."""
    readme = (rendering.K8S / "README.md").read_text()
    for rule in _rules(manifests):
        assert f"**{rule['alert']}**" in readme, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"]["summary"]


def test_panels_do_not_overlap(manifests: Manifests) -> None:
    """The dashboard is laid out on Grafana's grid of 24 columns, each panel in its own place."""
    taken: set[tuple[int, int]] = set()
    for panel in _dashboard(manifests)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
        assert panel["description"]


def _fires(
    tmp_path: Path, seen: dict[str, dict[str, int]], expected: dict[str, float], values: str = "0+{}x2000"
) -> bool:
    """Whether it fires after a day and an hour, of pod → bin → pictures a minute, or as ``values`` says."""
    group = rendering.combination("monitoring").get("PrometheusRule", "lookbook")["spec"]["groups"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": group}))
    labels = 'job="merger",measure="m",release="3"'
    series = [
        {"series": f'lookbook_seen_total{{{labels},pod="{pod}",bin="{bin_}"}}', "values": values.format(count)}
        for pod, bins in seen.items()
        for bin_, count in bins.items()
    ]
    for pod in seen:
        rows = {"series": f'lookbook_eval_pictures{{{labels},pod="{pod}"}}', "values": f"{EVAL_ROWS}x2000"}
        shares = [
            {"series": f'lookbook_eval_share{{{labels},pod="{pod}",bin="{bin_}"}}', "values": f"{share}x2000"}
            for bin_, share in expected.items()
        ]
        series += [rows, *shares]
    summary = "The pictures of a day have another m than the eval split of release 3."
    alert: dict[str, Any] = {
        "exp_labels": {"severity": "info", "measure": "m", "release": "3"},
        "exp_annotations": {"summary": summary},
    }
    case = {"eval_time": "26h", "alertname": "LookbookPicturesDrift", "exp_alerts": [alert]}
    test = {
        "rule_files": ["rules.yaml"],
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": [case]}],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([str(PROMTOOL), "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 or "exp:" in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode == 0


SAME = {"Shirts": 0.5, "Shoes": 0.3, "Bags": 0.2}


@needs_promtool
def test_another_mix_of_labels_fires(tmp_path: Path) -> None:
    """Nothing but shoes is drift, also where each of two mergers saw a half of it."""
    assert _fires(
        tmp_path, {"a": {"Shirts": 0, "Shoes": 1, "Bags": 0}, "b": {"Shirts": 0, "Shoes": 1, "Bags": 0}}, SAME
    )


@needs_promtool
def test_the_same_mix_does_not(tmp_path: Path) -> None:
    """One merger's shirts and another's shoes are together what eval was."""
    assert not _fires(
        tmp_path, {"a": {"Shirts": 5, "Shoes": 0, "Bags": 2}, "b": {"Shirts": 0, "Shoes": 3, "Bags": 0}}, SAME
    )


@needs_promtool
def test_nothing_is_strange_about_nearer(tmp_path: Path) -> None:
    """Pictures that are all in the bin in which nothing is strange, whose share is not told, are no drift."""
    assert not _fires(tmp_path, {"a": {"< 0.5": 0, "≥ 0.5": 4}}, {"< 0.5": 0.5})


@needs_promtool
def test_no_pictures_do_not(tmp_path: Path) -> None:
    """A day without a picture has no distribution."""
    assert not _fires(tmp_path, {"a": {"Shirts": 0, "Shoes": 0, "Bags": 0}}, SAME)


@needs_promtool
def test_few_pictures_do_not(tmp_path: Path) -> None:
    """A dozen shoes are no drift: chance does that."""
    shoes = {"Shirts": 0, "Shoes": 12, "Bags": 0}
    assert not _fires(tmp_path, {"a": shoes}, SAME, "0x600 {}x1400")
    assert _fires(tmp_path, {"a": {**shoes, "Shoes": 120}}, SAME, "0x600 {}x1400")
