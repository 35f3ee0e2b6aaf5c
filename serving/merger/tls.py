"""Certificates: what the merger shows to its callers and to the model servers, and whom it trusts."""

from pathlib import Path

import grpc

from serving.merger.core.errors import SettingsError
from serving.merger.settings import Settings, variable


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """The certificate of gRPC; None without TLS.

    Raises:
        SettingsError: a file is missing, or one of the two is not given.
    """
    pair = _pair(settings, "tls_key_file", "tls_certificate_file")
    return grpc.ssl_server_credentials([pair]) if pair else None


def channel_credentials(settings: Settings) -> grpc.ChannelCredentials | None:
    """Trust in the model servers, and what is shown to them; None without TLS.

    Raises:
        SettingsError: a file is missing, or one of a pair is not given.
    """
    key, certificate = _pair(settings, "model_key_file", "model_certificate_file") or (None, None)
    if not settings.model_ca_file:
        if key:
            raise SettingsError(
                f"{variable('model_certificate_file')} is given without {variable('model_ca_file')}: nothing would be "
                "encrypted."
            )
        return None
    return grpc.ssl_channel_credentials(_read(settings, "model_ca_file"), key, certificate)


def _pair(settings: Settings, key: str, certificate: str) -> tuple[bytes, bytes] | None:
    given = [name for name in (key, certificate) if getattr(settings, name)]
    if len(given) == 1:
        raise SettingsError(
            f"{variable(given[0])} is given alone; {variable(key)} and {variable(certificate)} go together."
        )
    return (_read(settings, key), _read(settings, certificate)) if given else None


def _read(settings: Settings, name: str) -> bytes:
    path = getattr(settings, name)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{variable(name)} is {path!r}, which cannot be read: {error.strerror}.") from error
