"""The command line: the flags of tensorflow_model_server, so that one command line fits both servers."""

import argparse
import logging
import os
import re
from dataclasses import dataclass, field, fields
from importlib import metadata
from typing import Any, Final, NoReturn, TypeVar

from schema.addresses import LAST_PORT, bare
from serving.model_server.protos import ConfigError

T = TypeVar("T", bool, int, str)
CALLS_PER_CPU: Final = 4
_WHOLE: Final = re.compile("-?[0-9]+")

logger = logging.getLogger(__name__)


def flag(default: T, help_text: str) -> T:
    """A field of :class:`Options`; the flag's type is that of its default."""
    value: T = field(default=default, metadata={"help": help_text})
    return value


@dataclass(frozen=True)
class Options:
    """The flags that this server honours."""

    bind_address: str = flag(
        "127.0.0.1", "address of both APIs; tensorflow_model_server has no such flag and listens on 0.0.0.0"
    )
    port: int = flag(8500, "TCP port of the gRPC API; 0 for none")
    grpc_socket_path: str = flag("", "UNIX socket on which the gRPC API listens too")
    rest_api_port: int = flag(0, "TCP port of the REST API; 0 for none")
    rest_api_timeout_in_ms: int = flag(30_000, "longest time for a REST call, milliseconds")
    model_config_file: str = flag("", "text proto ModelServerConfig: which models to serve, from where")
    model_config_file_poll_wait_seconds: int = flag(0, "read the model config anew every so many seconds; 0 for never")
    model_name: str = flag("default", "name of the only model; ignored with --model_config_file")
    model_base_path: str = flag("", "folder of the only model's versions; ignored with --model_config_file")
    saved_model_tags: str = flag("serve", "comma-separated tags of the graph to load")
    file_system_poll_wait_seconds: int = flag(1, "look for versions every so many seconds; 0 for once, at the start")
    max_num_load_retries: int = flag(5, "how often a version that failed to load is tried again")
    load_retry_interval_micros: int = flag(60_000_000, "time between two tries, microseconds")
    enable_model_warmup: bool = flag(True, "run the requests in assets.extra/tf_serving_warmup_requests before serving")
    num_request_iterations_for_warmup: int = flag(1, "how often each of them is run")
    enable_batching: bool = flag(
        False, "run requests that queue up for one signature together, without waiting for more"
    )
    batching_parameters_file: str = flag("", "text proto BatchingParameters; batch_timeout_micros counts as 0")
    allow_version_labels_for_unavailable_models: bool = flag(False, "a new label may name a version that isn't loaded")
    enable_grpc_healthcheck_service: bool = flag(False, "gRPC health service: SERVING once every model is available")
    monitoring_config_file: str = flag("", "text proto MonitoringConfig: Prometheus metrics on the REST port")
    ssl_config_file: str = flag("", "text proto SSLConfig: certificate of the gRPC API, and whose callers it takes")
    grpc_max_threads: int = flag(
        CALLS_PER_CPU * len(os.sched_getaffinity(0)), "gRPC calls at a time, status too; more are RESOURCE_EXHAUSTED"
    )
    grpc_channel_arguments: str = flag("", "comma-separated key=value options of the gRPC server")
    tensorflow_session_parallelism: int = flag(0, "sets both of the next two; 0 lets TensorFlow choose")
    tensorflow_intra_op_parallelism: int = flag(0, "threads for one operation; 0 lets TensorFlow choose")
    tensorflow_inter_op_parallelism: int = flag(0, "operations at a time; 0 lets TensorFlow choose")


WITHOUT_EFFECT: Final[dict[str, tuple[bool | int | str, str]]] = {
    "enable_profiler": (True, "there is no profiler here"),
    "rest_api_num_threads": (0, "REST is asynchronous"),
    "num_load_threads": (0, "versions load one after another"),
    "num_unload_threads": (0, "versions unload one after another"),
    "flush_filesystem_caches": (True, "they are left to the system"),
    "remove_unused_fields_from_bundle_metagraph": (True, "they are kept"),
    "enable_signature_method_name_check": (False, "Predict is the only method"),
    "per_process_gpu_memory_fraction": ("", "TensorFlow decides"),
    "xla_cpu_compilation_enabled": (False, "XLA is not used"),
    "num_tflite_pools": (0, "there is no TensorFlow Lite here"),
    "num_tflite_interpreters_per_pool": (0, "there is no TensorFlow Lite here"),
    "skip_initialize_tpu": (False, "there is no TPU here"),
}
REFUSED: Final[dict[str, bool | str]] = {
    "use_alts_credentials": False,
    "platform_config_file": "",
    "tensorflow_session_config_file": "",
    "thread_pool_factory_config_file": "",
    "enable_per_model_batching_parameters": False,
    "rest_api_enable_cors_support": False,
    "mixed_precision": "",
    "prefer_tflite_model": False,
}
"""Flag → default. They change who may call or what an answer is, and this server can't do what they ask."""


def _boolean(text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}")
    return values[text.lower()]


def _add(group: Any, name: str, default: bool | int | str, help_text: str) -> None:
    kind = type(default)
    settings: dict[str, Any] = {"type": kind, "metavar": kind.__name__.upper()}
    if kind is bool:
        settings = {"type": _boolean, "metavar": "BOOL", "nargs": "?", "const": True}
    group.add_argument(f"--{name}", default=default, help=f"{help_text} (default {default!r})".strip(), **settings)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as every other wrong start does, not by argparse's own exit status."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "serving.model_server",
        usage="python -m serving.model_server --FLAG=VALUE …",
        description="Serve SavedModels as tensorflow_model_server does: same flags, same API.",
        allow_abbrev=False,
    )
    version = f"embedded model server, TensorFlow {metadata.version('tensorflow')}"
    parser.add_argument("--version", action="version", version=version)
    honoured = parser.add_argument_group("flags")
    for option in fields(Options):
        _add(honoured, option.name, option.default, option.metadata["help"])  # type: ignore[arg-type]
    ignored = parser.add_argument_group("accepted, without effect")
    for name, (default, reason) in WITHOUT_EFFECT.items():
        _add(ignored, name, default, reason)
    refused = parser.add_argument_group(
        "refused unless left at their default: tensorflow_model_server alone can do them"
    )
    for name, default in REFUSED.items():
        _add(refused, name, default, "")
    return parser


def _check(options: Options) -> None:
    if not options.model_config_file and not options.model_base_path:
        raise ConfigError("Neither --model_config_file nor --model_base_path is given; one of them must be")
    if options.batching_parameters_file and not options.enable_batching:
        raise ConfigError("--batching_parameters_file needs --enable_batching")
    _check_ports(options)
    if options.grpc_max_threads < 1:
        raise ConfigError(f"--grpc_max_threads is {options.grpc_max_threads}; it must be at least 1")
    if options.tensorflow_session_parallelism and (
        options.tensorflow_intra_op_parallelism or options.tensorflow_inter_op_parallelism
    ):
        raise ConfigError("Give either --tensorflow_session_parallelism or the intra and inter op flags, not both")


def _check_ports(options: Options) -> None:
    if not options.port and not options.grpc_socket_path:
        raise ConfigError("--port is 0 and there is no --grpc_socket_path: the gRPC API would listen nowhere")
    for name, port in (("port", options.port), ("rest_api_port", options.rest_api_port)):
        if not 0 <= port <= LAST_PORT:  # gRPC would listen on another one, the number modulo 65536
            raise ConfigError(f"--{name} is {port}; it must be 0 to {LAST_PORT}")
    if options.port and options.rest_api_port == options.port:
        raise ConfigError(f"--rest_api_port and --port are both {options.port}; they must differ")


def parse(arguments: list[str]) -> Options:
    """Read the command line. An unknown flag is logged and passed over, as by tensorflow_model_server.

    Raises:
        ConfigError: a value has the wrong type, flags contradict each other or ask for what this server can't do.
        SystemExit: ``--help`` or ``--version`` (0).
    """
    known, unknown = _parser().parse_known_args(arguments)
    for argument in unknown:
        logger.warning("unknown argument: %s", argument)
    values = vars(known)
    for name, default in REFUSED.items():
        if values[name] != default:
            raise ConfigError(f"The embedded model server can't do --{name}; use tensorflow_model_server for it")
    values["bind_address"] = bare(values["bind_address"])
    options = Options(**{option.name: values[option.name] for option in fields(Options)})
    _check(options)
    return options


def channel_options(text: str) -> list[tuple[str, int | str]]:
    """The pairs of ``--grpc_channel_arguments``; whole numbers become int, as gRPC wants them.

    Raises:
        ConfigError: a part has no ``=``, or a whole number of more than 32 bits.
    """
    pairs: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        key, separator, value = part.partition("=")
        if not separator:
            raise ConfigError(f"--grpc_channel_arguments: {part!r} is not of the form key=value")
        is_whole = _WHOLE.fullmatch(value)
        if is_whole and not -(2**31) <= float(value) < 2**31:
            raise ConfigError(f"--grpc_channel_arguments: {key} is {value}; a whole number must fit 32 bits")
        pairs.append((key, int(value) if is_whole else value))
    return pairs
