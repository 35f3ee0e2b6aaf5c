"""Certificates: what the merger shows to its callers and to the model servers, and whom it trusts."""

import ssl
from pathlib import Path

import grpc

from serving.merger.core.errors import SettingsError
from serving.merger.settings import Settings, variable


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """The certificate of gRPC; None without TLS.

    Raises:
        SettingsError: a file is missing or no use, or one of the two is not given.
    """
    pair = _pair(settings, "tls_key_file", "tls_certificate_file")
    return grpc.ssl_server_credentials([pair]) if pair else None


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """The same of REST and the page.

    Raises:
        SettingsError: as :func:`server_credentials`.
    """
    given = _pair(settings, "tls_key_file", "tls_certificate_file")
    return _context(settings, "tls_key_file", "tls_certificate_file") if given else None


def channel_credentials(settings: Settings) -> grpc.ChannelCredentials | None:
    """Trust in the model servers, and what is shown to them; None without TLS.

    Raises:
        SettingsError: a file is missing or no use, or one of a pair is not given.
    """
    key, certificate = _pair(settings, "model_key_file", "model_certificate_file") or (None, None)
    if not settings.model_ca_file:
        if key:
            raise SettingsError(
                f"{variable('model_certificate_file')} is given without {variable('model_ca_file')}: nothing would be "
                "encrypted."
            )
        return None
    authority = _read(settings, "model_ca_file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(settings.model_ca_file)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"{variable('model_ca_file')} is {settings.model_ca_file!r}, which holds no certificate that can be used; "
            f"it must be PEM ({error})."
        ) from error
    return grpc.ssl_channel_credentials(authority, key, certificate)


def _pair(settings: Settings, key: str, certificate: str) -> tuple[bytes, bytes] | None:
    given = [name for name in (key, certificate) if getattr(settings, name)]
    if len(given) == 1:
        raise SettingsError(
            f"{variable(given[0])} is given alone; {variable(key)} and {variable(certificate)} go together."
        )
    if not given:
        return None
    pair = _read(settings, key), _read(settings, certificate)
    _context(settings, key, certificate)
    return pair


def _context(settings: Settings, key: str, certificate: str) -> ssl.SSLContext:
    """Python's TLS with that pair: gRPC would only say that it cannot listen, or nothing until somebody calls."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A password, or OpenSSL would wait for somebody to type one.
        context.load_cert_chain(getattr(settings, certificate), getattr(settings, key), password="")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"{variable(key)} is {getattr(settings, key)!r}, and {variable(certificate)} is "
            f"{getattr(settings, certificate)!r}; they must be a PEM private key without a password and the PEM chain "
            f"of its certificate ({error})."
        ) from error
    return context


def _read(settings: Settings, name: str) -> bytes:
    path = getattr(settings, name)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{variable(name)} is {path!r}, which cannot be read: {error.strerror}.") from error
