"""Where MLMD, the record of runs, lies: SQLite below the root, or a database server by its URL."""

import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from pipeline.config import METADATA_URL, Layout
from pipeline.errors import RunError

_PORTS: Final = {"postgresql": 5432, "mysql": 3306}
_PATIENCE_S: Final = 2.0


@dataclass(frozen=True)
class _Server:
    """A database server; ``str`` of it holds no password."""

    kind: str
    host: str
    port: int
    user: str
    password: str
    database: str

    def __str__(self) -> str:
        return f"{self.kind}://{self.user}@{self.host}:{self.port}/{self.database}"

    def connection(self) -> metadata_store_pb2.ConnectionConfig:
        """As MLMD takes it."""
        connection = metadata_store_pb2.ConnectionConfig()
        if self.kind == "mysql":
            return metadata.mysql_metadata_connection_config(
                self.host, self.port, self.database, self.user, self.password
            )
        settings = connection.postgresql
        settings.host, settings.port, settings.dbname = self.host, str(self.port), self.database
        settings.user, settings.password = self.user, self.password
        return connection


def connection_config(layout: Layout) -> metadata_store_pb2.ConnectionConfig:
    """How MLMD reaches the record of a root.

    Raises:
        RunError: the variable LOOKBOOK_METADATA holds no URL of a database.
    """
    if not layout.metadata_url:
        return metadata.sqlite_metadata_connection_config(str(layout.metadata))
    return _server(layout.metadata_url).connection()


def open_store(layout: Layout) -> MetadataStore:
    """The MLMD store of a root."""
    return MetadataStore(connection_config(layout))


def require_server(layout: Layout) -> None:
    """Sees to it that the database server of a root takes the record; makes its tables where there are none.

    Raises:
        RunError: it does not; the words hold no password.
    """
    server = _server(layout.metadata_url)
    try:
        socket.create_connection((server.host, server.port), _PATIENCE_S).close()
    except (OSError, UnicodeError) as error:  # the latter of a name that cannot be looked up at all, as a..b
        raise RunError(f"the database {server} of {METADATA_URL} cannot be reached: {error}") from error
    try:
        open_store(layout).get_artifact_types()
    except Exception as error:  # MLMD raises what its C++ returns
        said = " ".join(str(error).split())[:200]
        raise RunError(
            f"the database {server} of {METADATA_URL} does not take the record of runs ({said}); are user and password "
            f"right, and may {server.user} make the database {server.database} and its tables?"
        ) from error


def _server(url: str) -> _Server:
    """The parts of a URL, which is never printed: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _no_url() from error
    kind = {"postgres": "postgresql"}.get(parts.scheme, parts.scheme)
    database = parts.path.strip("/")
    if kind not in _PORTS or not parts.hostname or not parts.username or not database or parts.query or parts.fragment:
        raise _no_url()
    password = unquote(parts.password or "")
    return _Server(kind, parts.hostname, port or _PORTS[kind], unquote(parts.username), password, database)


def _no_url() -> RunError:
    return RunError(
        f"{METADATA_URL} is no URL of a database (not shown: it may hold a password); it has the form "
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or mysql://…, special letters of the password as %40"
    )
