"""Configuration that changes while the server runs: reloads, labels, the file read anew."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest

from schema import heads as table
from schema import names
from tests import tiny_models
from tests.model_server.running import RunningServer, Shelf, best_labels

Start = Callable[..., RunningServer]
MODEL = names.ARTICLE_TYPE


def label(server: RunningServer, **spec: Any) -> str:
    return best_labels(server.predict(MODEL, "red", **spec), MODEL)[0]


def expected(weights: int) -> str:
    return tiny_models.expected("red", weights)[MODEL]


def reload_request(models: Path, *wanted: str, labels: dict[str, int] | None = None) -> ReloadConfigRequest:
    request = ReloadConfigRequest()
    for model in wanted:
        config = request.config.model_config_list.config.add(
            name=model, base_path=str(models / model), model_platform="tensorflow"
        )
        config.model_version_policy.all.SetInParent()
        config.version_labels.update(labels or {})
    return request


def test_reload_config(serve: Start, models: Path, shelf: Shelf) -> None:
    """A new config is brought about before the answer: models go, come back, and change their policy."""
    for version, variant in ((1, "plain"), (2, "other"), (3, "third")):
        shelf.push(models, variant, version)
    server = serve()
    assert server.states(MODEL) == {3: "AVAILABLE", 2: "AVAILABLE"}
    server.models.HandleReloadConfigRequest(reload_request(models, names.CATEGORY))
    with pytest.raises(grpc.RpcError, match=r"Latest\(article_type\)"):
        server.predict(MODEL, "red")
    for version in (2, 3):
        server.wait_for(MODEL, version, "END")
    response = server.models.HandleReloadConfigRequest(reload_request(models, *table.MODELS))
    assert response.status.error_code == 0
    assert [label(server, version=version) for version in (1, 2, 3)] == [expected(0), expected(1), expected(2)]


def test_reload_with_a_model_that_does_not_come_up(serve: Start, models: Path, shelf: Shelf) -> None:
    """Who adds a broken model is told why it did not come up."""
    shelf.push(models, "plain", 1)
    shelf.push(models / "more", "garbage", 1, only=MODEL)
    server = serve(max_num_load_retries=0)
    request = reload_request(models, *table.MODELS)
    request.config.model_config_list.config.add(
        name="broken", base_path=str(models / "more" / MODEL), model_platform="tensorflow"
    )
    with pytest.raises(grpc.RpcError, match=r"1 servable\(s\) did not become .*name: broken version: 1\} due"):
        server.models.HandleReloadConfigRequest(request)
    assert label(server) == expected(0)


def test_reload_without_a_platform(serve: Start, models: Path, shelf: Shelf) -> None:
    """An entry without a platform is refused, and so is every config after it; what is loaded serves on."""
    shelf.push(models, "plain", 1)
    server = serve()
    poison = reload_request(models, *table.MODELS)
    poison.config.model_config_list.config[0].model_platform = ""
    for request in (poison, reload_request(models, *table.MODELS)):
        with pytest.raises(grpc.RpcError, match="Illegal setting neither") as caught:
            server.models.HandleReloadConfigRequest(request)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert label(server) == expected(0)
    shelf.push(models, "other", 2)
    server.wait_for(MODEL, 2, "AVAILABLE")


def test_labels(serve: Start, models: Path, shelf: Shelf) -> None:
    """A label names a version that serves, on gRPC and REST, and may not be moved to one that doesn't."""
    shelf.push(models, "plain", 1)
    shelf.push(models, "other", 2)
    server = serve()
    server.models.HandleReloadConfigRequest(reload_request(models, *table.MODELS, labels={"stable": 1, "canary": 2}))
    assert label(server, version_label="stable") == expected(0)
    assert label(server, version_label="canary") == expected(1)
    status = server.rest.get(f"/v1/models/{MODEL}/labels/stable").json()["model_version_status"]
    assert [entry["version"] for entry in status] == ["1"]
    metadata = server.rest.get(f"/v1/models/{MODEL}/labels/canary/metadata").json()
    assert metadata["model_spec"]["version"] == "2"
    with pytest.raises(grpc.RpcError, match="assign label to version 3 of model article_type") as caught:
        server.models.HandleReloadConfigRequest(reload_request(models, *table.MODELS, labels={"stable": 3}))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert label(server, version_label="stable") == expected(0)


def test_labels_ahead_of_their_version(serve: Start, models: Path, shelf: Shelf) -> None:
    """With the flag for it, a new label may name a version that is yet to come."""
    shelf.push(models, "plain", 1)
    server = serve(allow_version_labels_for_unavailable_models=True)
    server.models.HandleReloadConfigRequest(reload_request(models, *table.MODELS, labels={"next": 2}))
    with pytest.raises(grpc.RpcError, match=r"Specific\(article_type, 2\)"):
        server.predict(MODEL, "red", version_label="next")
    shelf.push(models, "other", 2)
    server.wait_for(MODEL, 2, "AVAILABLE")
    assert label(server, version_label="next") == expected(1)


def test_config_file_is_read_anew(serve: Start, models: Path, shelf: Shelf, tmp_path: Path) -> None:
    """A changed model config file takes effect when it is polled; a broken one changes nothing."""
    shelf.push(models, "plain", 1)
    shelf.push(models, "other", 2)
    server = serve(model_config_file_poll_wait_seconds=1)
    config = tmp_path / "config" / "models.config"
    text = config.read_text()
    config.write_text("nonsense {")
    config.write_text(text.replace("latest { num_versions: 2 }", "specific { versions: 1 }"))
    server.wait_for(MODEL, 2, "END")
    assert label(server) == expected(0)


def test_config_file_ahead_of_its_version(serve: Start, models: Path, shelf: Shelf, tmp_path: Path) -> None:
    """A config file that is polled before what it names is there takes effect once it is."""
    shelf.push(models, "plain", 1)
    server = serve(model_config_file_poll_wait_seconds=1)
    config = tmp_path / "config" / "models.config"
    text = config.read_text()
    path = models / "more" / MODEL
    config.write_text(
        text.rstrip().removesuffix("}")
        + f'config {{ name: "more" base_path: "{path}" model_platform: "tensorflow" }}\n}}\n'
    )
    time.sleep(2)  # long enough to be polled in vain
    shelf.push(models / "more", "other", 2, only=MODEL)
    server.wait_for("more", 2, "AVAILABLE")
    assert server.rest.get("/v1/models/more/metadata").json()["model_spec"]["version"] == "2"
