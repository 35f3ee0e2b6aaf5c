"""Text protos that configure TensorFlow Serving.

tensorflow-serving-api ships ``ModelServerConfig`` but not ``BatchingParameters``, ``MonitoringConfig`` and
``SSLConfig``. Those are declared here with the fields that TensorFlow Serving documents, so that a misspelt field is an
error with its line. Field numbers don't matter in text form.
"""

from pathlib import Path
from typing import Any, Final, TypeVar

from google.protobuf import descriptor_pb2, descriptor_pool, text_format, wrappers_pb2
from google.protobuf.message import Message

from serving.old_stack import message_class

Field = descriptor_pb2.FieldDescriptorProto
AnyMessage = TypeVar("AnyMessage", bound=Message)

_INT64: Final = "google.protobuf.Int64Value"
_BOOL: Final = "google.protobuf.BoolValue"
_STRING: Final = "google.protobuf.StringValue"

_BATCHING_FIELDS: Final = {
    "max_batch_size": _INT64,
    "batch_timeout_micros": _INT64,
    "max_enqueued_batches": _INT64,
    "num_batch_threads": _INT64,
    "thread_pool_name": _STRING,
    "allowed_batch_sizes": Field.TYPE_INT64,
    "pad_variable_length_inputs": Field.TYPE_BOOL,
    "enable_large_batch_splitting": _BOOL,
    "max_execution_batch_size": _INT64,
}
_PROMETHEUS_FIELDS: Final = {"enable": Field.TYPE_BOOL, "path": Field.TYPE_STRING}
_SSL_FIELDS: Final = {
    "server_key": Field.TYPE_STRING,
    "server_cert": Field.TYPE_STRING,
    "custom_ca": Field.TYPE_STRING,
    "client_verify": Field.TYPE_BOOL,
}
_REPEATED: Final = {"allowed_batch_sizes"}


class ConfigError(Exception):
    """A file or flag given at the start is wrong."""


def _declare(file: descriptor_pb2.FileDescriptorProto, name: str, fields: dict[str, Any]) -> None:
    message = file.message_type.add(name=name)
    for number, (field_name, kind) in enumerate(fields.items(), start=1):
        label = Field.LABEL_REPEATED if field_name in _REPEATED else Field.LABEL_OPTIONAL
        field = message.field.add(name=field_name, number=number, label=label)
        if isinstance(kind, str):
            field.type, field.type_name = Field.TYPE_MESSAGE, f".{kind}"
        else:
            field.type = kind


def _declare_all() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="lookbook/serving_config.proto", syntax="proto3")
    file.package = "lookbook.serving_config"
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    _declare(file, "BatchingParameters", _BATCHING_FIELDS)
    _declare(file, "PrometheusConfig", _PROMETHEUS_FIELDS)
    _declare(file, "MonitoringConfig", {"prometheus_config": f"{file.package}.PrometheusConfig"})
    _declare(file, "SSLConfig", _SSL_FIELDS)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _message_class(name: str) -> Any:
    return message_class(_POOL.FindMessageTypeByName(f"lookbook.serving_config.{name}"))


_POOL: Final = _declare_all()
BatchingParameters: Final = _message_class("BatchingParameters")
MonitoringConfig: Final = _message_class("MonitoringConfig")
SSLConfig: Final = _message_class("SSLConfig")


def read_text_proto(path: Path, message: AnyMessage) -> AnyMessage:
    """Fill ``message`` from the text proto at ``path`` and return it.

    Raises:
        ConfigError: the file can't be read, or its line so-and-so is no such message.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), message)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Can't read {path}: {error}") from error
    except text_format.ParseError as error:
        kind = message.DESCRIPTOR.name
        raise ConfigError(f"{path} is no text form of {kind}: line {error}") from error
