"""The committed configuration of TensorFlow Serving, against its protos and against the embedded server."""

import dataclasses
import os
from pathlib import Path

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schema import heads as table
from serving.model_server import config, flags
from serving.model_server.protos import BatchingParameters, ConfigError, MonitoringConfig, read_text_proto
from serving.tensorflow_serving.local import CONFIG_DIR, local_flags, read_flags


def test_models_config() -> None:
    """Both models, by the names of the contract, two versions of each, is what TensorFlow Serving's own proto reads."""
    models = config.model_configs(read_text_proto(CONFIG_DIR / "models.config", ModelServerConfig()))
    assert list(models) == list(table.MODELS)
    for name, model in models.items():
        assert model.base_path == f"/models/{name}"
        assert model.model_platform == "tensorflow"
        assert model.model_version_policy.latest.num_versions == 2


def test_batching_config() -> None:
    """Requests never wait for company, and a call larger than a run is cut up instead of refused.

    BatchingParameters is in no package: it is checked against our declaration of its fields.
    """
    parameters = read_text_proto(CONFIG_DIR / "batching.config", BatchingParameters())
    assert parameters.HasField("batch_timeout_micros")
    assert parameters.batch_timeout_micros.value == 0
    assert parameters.enable_large_batch_splitting.value
    assert parameters.max_execution_batch_size.value <= parameters.max_batch_size.value


def test_monitoring_config() -> None:
    """Metrics are on; MonitoringConfig too is checked against our declaration of its fields."""
    prometheus = read_text_proto(CONFIG_DIR / "monitoring.config", MonitoringConfig()).prometheus_config
    assert prometheus.enable
    assert prometheus.path.startswith("/")


def test_start_flags() -> None:
    """The flags that cost an outage when forgotten are set, and the embedded server knows every one."""
    given = read_flags()
    assert given["enable_batching"] == "true", "a batching file without it keeps TensorFlow Serving from starting"
    assert given["enable_grpc_healthcheck_service"] == "true"
    assert given["enable_profiler"] == "false"
    assert given["grpc_max_threads"] == "256", "else a handful of mergers exhausts the four a CPU"
    assert "rest_api_port" not in given, "JSON nested deep enough ends TensorFlow Serving 2.16.1"
    honoured = {option.name for option in dataclasses.fields(flags.Options)}
    assert given.keys() <= honoured | flags.WITHOUT_EFFECT.keys()


def test_start_flags_name_committed_files() -> None:
    """Each file flag names a file that lies beside it."""
    files = {Path(value).name for name, value in read_flags().items() if name.endswith("_file")}
    assert files == {path.name for path in CONFIG_DIR.glob("*.config")} - {"monitoring.config"}


def test_local_flags(tmp_path: Path) -> None:
    """Local flags differ from the committed ones in paths and overrides alone, and can be parsed."""
    models = tmp_path / "release"
    options = flags.parse(local_flags(models, tmp_path / "out", port=1234))
    assert options.port == 1234
    local = config.model_configs(config.model_server_config(options))
    committed = config.model_configs(read_text_proto(CONFIG_DIR / "models.config", ModelServerConfig()))
    for name, model in committed.items():
        model.base_path = str(models / name)
        assert local[name] == model
    assert config.batch_limits(options).rows_per_run == 32
    assert (options.bind_address, options.rest_api_port, config.metrics_path(options)) == ("127.0.0.1", 0, None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("max_batchsize { value: 3 }", 'no field named "max_batchsize"'),
        ("max_batch_size: 3", "line 1"),
        ("max_batch_size { value: 0 }", "max_batch_size is 0; it must be at least 1"),
        ("max_batch_size { value: 64 } max_enqueued_batches { value: 1 } enable_large_batch_splitting { value: true }"
         " max_execution_batch_size { value: 32 }", "must not exceed"),
    ],
)  # fmt: skip
def test_wrong_batching_config(tmp_path: Path, text: str, complaint: str) -> None:
    """A wrong batching file is named with what is wrong in it."""
    path = tmp_path / "batching.config"
    path.write_text(text)
    options = flags.Options(model_base_path="/m", enable_batching=True, batching_parameters_file=str(path))
    with pytest.raises(ConfigError, match=complaint):
        config.batch_limits(options)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--model_config_file"),
        (["--model_base_path=/m", "--batching_parameters_file=/b"], "needs --enable_batching"),
        (["--model_base_path=/m", "--port=0"], "listen nowhere"),
        (["--model_base_path=/m", "--port=5", "--rest_api_port=5"], "must differ"),
        (["--model_base_path=/m", "--grpc_max_threads=0"], "at least 1"),
        (["--model_base_path=/m", "--port=99999"], "--port is 99999; it must be 0 to 65535"),
        (["--model_base_path=/m", "--rest_api_port=-1"], "--rest_api_port is -1; it must be 0 to 65535"),
        (["--model_base_path=/m", "--port=many"], "argument --port: invalid int value: 'many'"),
        (["--model_base_path=/m", "--enable_batching=maybe"], "expected true or false, got 'maybe'"),
        (["--model_base_path=/m", "--use_alts_credentials"], "can't do --use_alts_credentials"),
        (["--model_base_path=/m", "--tensorflow_session_parallelism=2", "--tensorflow_inter_op_parallelism=1"], "both"),
    ],
)  # fmt: skip
def test_wrong_flags(arguments: list[str], complaint: str) -> None:
    """Flags that contradict each other, or that this server can't keep, are refused by name."""
    with pytest.raises(ConfigError, match=complaint):
        flags.parse(arguments)


@pytest.mark.parametrize("path", ["metrics", "/metrics{", "/{name}"])
def test_wrong_metrics_path(tmp_path: Path, path: str) -> None:
    """A path of the metrics that is none of a URL stops the start with what would be right."""
    file = tmp_path / "monitoring.config"
    file.write_text(f'prometheus_config {{ enable: true path: "{path}" }}')
    with pytest.raises(ConfigError, match="it must begin with / and have no braces"):
        config.metrics_path(flags.Options(model_base_path="/m", monitoring_config_file=str(file)))


def test_grpc_channel_arguments() -> None:
    """What is a whole number that gRPC can take comes as one, other words as they are; a larger one is refused."""
    assert flags.channel_options("a=-5,b=--5,c=²,d=x") == [("a", -5), ("b", "--5"), ("c", "²"), ("d", "x")]
    with pytest.raises(ConfigError, match="a is 2147483648; a whole number must fit 32 bits"):
        flags.channel_options("a=2147483648")


def test_a_bind_address_may_have_brackets() -> None:
    """An IPv6 address is taken with its brackets, as a URL has it: a socket takes none."""
    assert flags.parse(["--model_base_path=/m", "--bind_address=[::1]"]).bind_address == "::1"


def test_flags_of_both_kinds() -> None:
    """Booleans come bare or with a value, and flags without effect are taken in silence."""
    options = flags.parse(
        ["--model_base_path=/m", "--enable_batching", "--enable_model_warmup=false", "--num_load_threads=4"]
    )
    assert options.enable_batching
    assert not options.enable_model_warmup


@pytest.mark.parametrize(
    "unknown",
    [
        "--nonsense=1",
        # Both came after 2.16.1.
        "--enable_serialization_as_tensor_content=true",
        "--xla_gpu_compilation_enabled=true",
    ],
)
def test_unknown_flags(unknown: str, caplog: pytest.LogCaptureFixture) -> None:
    """A flag that TensorFlow Serving 2.16.1 lacks stops neither server: it is named, and the others hold."""
    assert flags.parse(["--model_base_path=/m", unknown, "--port=7"]).port == 7
    said = [record.getMessage() for record in caplog.records if record.name == flags.logger.name]
    assert said == [f"unknown argument: {unknown}"]


def test_grpc_threads() -> None:
    """Four calls a CPU that this process may use, unless told otherwise, as in TensorFlow Serving."""
    assert flags.parse(["--model_base_path=/m"]).grpc_max_threads == 4 * len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("policy", "aspired"),
    [
        ("", {7}),
        ("latest { num_versions: 2 }", {5, 7}),
        ("latest { num_versions: 9 }", {1, 5, 7}),
        ("all {}", {1, 5, 7}),
        ("specific { versions: 5 versions: 6 }", {5}),
    ],
)
def test_version_policy(policy: str, aspired: set[int]) -> None:
    """Each version policy picks the versions that TensorFlow Serving would."""
    from google.protobuf import text_format

    text = f"model_config_list {{ config {{ model_version_policy {{ {policy} }} }} }}"
    model = text_format.Parse(text, ModelServerConfig()).model_config_list.config[0]
    assert config.aspired_versions([7, 1, 5], model.model_version_policy) == aspired
