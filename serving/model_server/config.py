"""What the configuration files say, checked as TensorFlow Serving checks it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import grpc
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.model_server.errors import invalid_argument
from serving.model_server.flags import Options
from serving.model_server.protos import BatchingParameters, ConfigError, MonitoringConfig, SSLConfig, read_text_proto

TENSORFLOW: Final = "tensorflow"
NO_PLATFORM: Final = (
    "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform."
)
DEFAULT_METRICS_PATH: Final = "/monitoring/prometheus/metrics"
DEFAULT_MAX_BATCH_SIZE: Final = 1000
DEFAULT_ENQUEUED_BATCHES: Final = 10
QUEUED_REQUESTS_WITHOUT_BATCHING: Final = 1000


class BatchLimits(NamedTuple):
    """Limits of the queues; a row is one element along the first dimension of a request's inputs."""

    batching: bool
    """Whether requests share a run at all."""
    rows_per_request: int
    """A larger request is refused."""
    rows_per_run: int
    """A larger request is cut up."""
    queued_rows: int
    """Rows that may wait in one queue; without batching, requests that may wait in all."""
    threads: int
    """Runs at a time, over all queues."""


class Configuration(NamedTuple):
    """What the configuration files say at the start."""

    models: ModelServerConfig
    limits: BatchLimits
    metrics_path: str | None
    """Where the metrics are on the REST port; None for nowhere."""
    credentials: Any
    """``grpc.ServerCredentials`` of the gRPC API; None: not encrypted."""


def read(options: Options) -> Configuration:
    """Read all configuration files that the flags name.

    Raises:
        ConfigError: one of them is wrong.
    """
    return Configuration(
        model_server_config(options), batch_limits(options), metrics_path(options), server_credentials(options)
    )


def model_server_config(options: Options) -> ModelServerConfig:
    """The model config of the command line, from its file or for its single model.

    Raises:
        ConfigError: the file is no such text proto.
    """
    if options.model_config_file:
        return read_text_proto(Path(options.model_config_file), ModelServerConfig())
    config = ModelServerConfig()
    config.model_config_list.config.add(
        name=options.model_name, base_path=str(Path(options.model_base_path).absolute()), model_platform=TENSORFLOW
    )
    return config


def model_configs(config: ModelServerConfig) -> dict[str, Any]:
    """Model name → ModelConfig; whether each has a :func:`platform` is not looked at.

    Raises:
        ServingError: INVALID_ARGUMENT, it is a config that can't be served.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise invalid_argument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest."
            " Only ModelConfigList is currently supported"
        )
    models: dict[str, Any] = {}
    for model in config.model_config_list.config:
        if model.name in models:
            raise invalid_argument(f"Illegal to list model {model.name} multiple times in config list")
        _check_model(model)
        models[model.name] = model
    return models


def platform(model: Any) -> str:
    """What a ModelConfig says that its model is made for; "" if it says nothing."""
    return model.model_platform or (TENSORFLOW if model.model_type == 1 else "")


def _check_model(model: Any) -> None:
    if platform(model) not in ("", TENSORFLOW):
        raise invalid_argument(f"Model {model.name} requests unsupported platform {platform(model)}")
    if not Path(model.base_path).is_absolute():
        raise invalid_argument(
            f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
        )


def aspired_versions(found: Iterable[int], policy: Any) -> set[int]:
    """The versions that a ServableVersionPolicy wants loaded, of those ``found`` on disk."""
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return set(found)
    if kind == "specific":
        return set(found) & set(policy.specific.versions)
    count = max(policy.latest.num_versions, 1) if kind == "latest" else 1
    return set(sorted(found)[-count:])


def batch_limits(options: Options) -> BatchLimits:
    """The limits that the flags and the batching parameters set.

    Raises:
        ConfigError: the file is no such text proto, or its numbers contradict each other.
    """
    threads = os.cpu_count() or 1
    if not options.enable_batching:
        return BatchLimits(False, 1, 1, QUEUED_REQUESTS_WITHOUT_BATCHING, threads)
    parameters = BatchingParameters()
    if options.batching_parameters_file:
        read_text_proto(Path(options.batching_parameters_file), parameters)
    return _limits_of(parameters, threads)


def _limits_of(parameters: Any, default_threads: int) -> BatchLimits:
    def value(name: str, default: int) -> int:
        number = getattr(parameters, name).value if parameters.HasField(name) else default
        if number < 1:
            raise ConfigError(f"Batching parameter {name} is {number}; it must be at least 1")
        return int(number)

    per_request = value("max_batch_size", DEFAULT_MAX_BATCH_SIZE)
    per_run = (
        value("max_execution_batch_size", per_request) if parameters.enable_large_batch_splitting.value else per_request
    )
    queued = value("max_enqueued_batches", DEFAULT_ENQUEUED_BATCHES) * per_run
    if not per_run <= per_request <= queued:
        raise ConfigError(
            f"Batching parameters: max_execution_batch_size ({per_run}) must not exceed max_batch_size "
            f"({per_request}), nor that max_enqueued_batches × max_execution_batch_size ({queued})"
        )
    return BatchLimits(True, per_request, per_run, queued, value("num_batch_threads", default_threads))


def metrics_path(options: Options) -> str | None:
    """Where the metrics are on the REST port; None for nowhere.

    Raises:
        ConfigError: the file is no such text proto, or its path none of a URL.
    """
    if not options.monitoring_config_file:
        return None
    prometheus = read_text_proto(Path(options.monitoring_config_file), MonitoringConfig()).prometheus_config
    path = prometheus.path or DEFAULT_METRICS_PATH
    if not path.startswith("/") or set(path) & set("{}"):  # a brace would begin a pattern
        raise ConfigError(
            f"{options.monitoring_config_file}: path is {path!r}; it must begin with / and have no braces"
        )
    return path if prometheus.enable else None


def server_credentials(options: Options) -> Any:
    """The certificate of the gRPC API, and by whom its callers must be vouched for; None for no TLS.

    Raises:
        ConfigError: the file is no such text proto, or lacks a part.
    """
    if not options.ssl_config_file:
        return None
    config = read_text_proto(Path(options.ssl_config_file), SSLConfig())
    missing = [name for name in ("server_key", "server_cert") if not getattr(config, name)]
    if config.client_verify and not config.custom_ca:
        missing.append("custom_ca")
    if missing:
        raise ConfigError(f"{options.ssl_config_file} lacks {' and '.join(missing)}, each the text of a PEM file")
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )
