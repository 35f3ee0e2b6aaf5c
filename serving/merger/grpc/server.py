"""The gRPC server: the service, health and reflection, and the bounds of its connections."""

import asyncio
import logging
from typing import Any, Final

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from schema import heads as table
from serving.merger.admission.uploads import Uploads
from serving.merger.grpc.operations import BoundedServices
from serving.merger.grpc.servicer import ClassifierServicer
from serving.merger.lifecycle import Lifecycle
from serving.merger.settings import Settings
from serving.proto.lookbook.v1 import classifier_pb2 as pb

SERVICE: Final = pb.DESCRIPTOR.services_by_name["Classifier"].full_name
GRPC_LOGGER: Final = "grpc._cython.cygrpc"
STREAMS_PER_CONNECTION: Final = 100
MOST_METADATA_BYTES: Final = 16 * 2**10
IDENTITY_ALONE: Final = 1
"""The bit of gRPC's algorithm that does not compress."""


def make_server(
    servicer: ClassifierServicer, lifecycle: Lifecycle, uploads: Uploads, settings: Settings
) -> grpc.aio.Server:
    """The server with service, health and reflection; not yet bound or started."""
    logging.getLogger(GRPC_LOGGER).addFilter(_is_news)
    bounded = BoundedServices(SERVICE, uploads, settings)
    server = grpc.aio.server(options=_options(settings), interceptors=[bounded])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, servicer.handlers()),))
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    lifecycle.listen(lambda: _show(health_servicer, lifecycle))
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


def _is_news(record: logging.LogRecord) -> bool:
    """Not that an answer could not be written, because its client has hung up."""
    return not (record.exc_info and isinstance(record.exc_info[1], grpc.aio.InternalError))


def _show(health_servicer: Any, lifecycle: Lifecycle) -> None:
    states = dict.fromkeys(("", SERVICE), lifecycle.is_serving)
    states |= {model: lifecycle.is_model_serving(model) for model in table.MODELS}
    status = health_pb2.HealthCheckResponse
    for service, is_serving in states.items():
        setting = health_servicer.set(service, status.SERVING if is_serving else status.NOT_SERVING)
        task = asyncio.ensure_future(setting)
        _background.add(task)
        task.add_done_callback(_background.discard)


_background: set["asyncio.Future[None]"] = set()
"""Keeps the tasks alive: the loop itself holds them weakly."""


def _options(settings: Settings) -> list[tuple[str, int]]:
    # A connection that is too old takes no more calls, and finishes those under way: no call is lost by it.
    age_ms = settings.grpc_connection_age_ms
    return [
        *([("grpc.max_connection_age_ms", age_ms)] if age_ms else []),
        ("grpc.so_reuseport", 0),  # a port that is taken should be an error, not shared
        ("grpc.max_receive_message_length", settings.max_request_bytes),
        # A compressed message is bounded before it is unpacked and not after, and pictures are compressed already.
        ("grpc.compression_enabled_algorithms_bitset", IDENTITY_ALONE),
        # Else every call may send megabytes before anyone asks for its message. One that is asked for gets the window
        # that it needs.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.max_metadata_size", MOST_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", MOST_METADATA_BYTES),
        ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION),
        ("grpc.max_allowed_incoming_connections", settings.max_connections),
        ("grpc.max_connection_idle_ms", 300_000),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
