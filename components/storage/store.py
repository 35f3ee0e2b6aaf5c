"""One folder of an object store or of a remote file system."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from components.storage.errors import Archived, Missing, StorageError
from components.storage.uri import checked, credentials_of

_WAITS_S: Final = {"http": (0.2, 0.8, 3.2), "https": (0.2, 0.8, 3.2), "hdfs": (0.2, 0.8, 3.2)}
"""Before each further attempt. s3fs, gcsfs and adlfs try again by themselves, with backoff, and know better when."""
_FINAL: Final = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    ImportError,
)
_ARCHIVED: Final = ("InvalidObjectState", "BlobArchived")
"""Of one object, where S3 answers as if all were forbidden: lists are full of those that a lifecycle rule put away."""
_CHUNK_BYTES: Final = 1 << 20
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "s3": {"config_kwargs": {"retries": {"mode": "standard", "total_max_attempts": 2}}},
    "http": {"client_kwargs": {"trust_env": True}},  # proxies, and credentials of ~/.netrc
    "https": {"client_kwargs": {"trust_env": True}},
}
_T = TypeVar("_T")


class Store:
    """A folder by its URI; names are relative to it, with slashes.

    Every method raises :class:`Missing` where there is nothing, and :class:`StorageError` in words for whatever else
    the libraries raise.

    Args:
        uri: a place with one of the known schemes.

    Raises:
        StorageError: the URI is none, or its file system cannot be had.
    """

    def __init__(self, uri: str) -> None:
        self.uri = checked(uri)
        self.scheme = self.uri.partition("://")[0]
        self._fs, self.root = self._told("", lambda: _file_system(self.uri, self.scheme))
        self.root = self.root.rstrip("/")

    def read(self, name: str) -> bytes:
        """All bytes of an object."""
        return self._told(name, lambda: self._fs.cat_file(self._at(name)))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, some at a time; a chunk that fails is asked for again."""
        file = self._told(name, lambda: self._fs.open(self._at(name), "rb", block_size=8 * _CHUNK_BYTES))
        with file:
            while chunk := self._told(name, lambda: _read_at(file, file.tell())):
                yield chunk

    def read_range(self, start: int, end: int, name: str = "") -> bytes:
        """Those bytes of an object, by default of the root itself, where it is a file."""
        content = bytes(self._told(name, lambda: self._fs.cat_file(self._at(name), start=start, end=end)))
        if len(content) == end - start:
            return content
        # Web servers may answer with all of a file, whatever part was asked for.
        why = (
            "it does not give parts of files: download it, and give the file"
            if len(content) > end - start
            else "it changed meanwhile, or its size was told wrongly: try again, or download it, and give the file"
        )
        raise StorageError(
            f"{self._uri_of(name)}: bytes {start:,} to {end:,} were asked for, {len(content):,} bytes came; {why}"
        )

    def size(self) -> int | None:
        """Bytes of the root itself, None where it is a folder."""
        facts = self._told("", lambda: self._fs.info(self.root))
        if facts["type"] == "directory" or facts.get("mimetype", "").startswith("text/html"):
            return None
        if facts.get("size") is None:
            raise StorageError(f"{self.uri}: the server does not tell its size, so no part of it can be asked for")
        return int(facts["size"])

    def write(self, name: str, content: bytes) -> None:
        """Makes an object of which nobody ever sees a part; one that is there is replaced."""
        self._told(name, lambda: self._fs.pipe_file(self._at(name), content))

    def upload(self, file: Path, name: str) -> None:
        """Copies a file of this machine."""
        self._told(name, lambda: self._fs.put_file(str(file), self._at(name)))

    def remove(self, name: str) -> None:
        """Removes an object."""
        self._told(name, lambda: self._fs.rm_file(self._at(name)))

    def sizes(self, folder: str) -> dict[str, int]:
        """Name, relative to ``folder``, → bytes, of all that lies below it; empty where there is no such folder."""
        return {name: size for name, (size, _) in self.listing(folder).items()}

    def listing(self, folder: str = "") -> dict[str, tuple[int, str]]:
        """The same, with a text that changes when the content does; "" where the store tells none."""
        at = self._at(folder)
        try:
            found = self._told(folder, lambda: self._fs.find(at, detail=True, refresh=True))
        except Missing:
            return {}
        return {
            path[len(at) + 1 :]: (int(facts["size"] or 0), _version(facts))
            for path, facts in found.items()
            if path != at and not path.endswith("/")  # some tools make objects that stand for folders
        }

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def _uri_of(self, name: str) -> str:
        return f"{self.uri}/{name}".rstrip("/")

    def _told(self, name: str, call: Callable[[], _T]) -> _T:
        try:
            return _with_retries(call, _WAITS_S.get(self.scheme, ()))
        except StorageError:
            raise
        except Exception as error:  # each library has its own, and none a common base
            raise in_words(_unwrapped(error), self._uri_of(name)) from error


def _version(facts: dict[str, Any]) -> str:
    told = (facts.get(name) for name in ("ETag", "generation", "etag", "md5Hash", "mtime", "LastModified"))
    return str(next((one for one in told if one), ""))


def in_words(error: Exception, uri: str) -> StorageError:
    """The error for a person: what is wrong with ``uri`` and what would help."""
    kind, text = type(error).__name__, " ".join(str(error).split())[:300]
    status = _status(error)
    if isinstance(error, FileNotFoundError) or status == 404:
        return Missing(f"there is nothing at {uri}, or nothing that these credentials may see")
    if _code(error) in _ARCHIVED:
        return Archived(f"{uri} is archived, and nobody can read it ({text}); restore it first")
    if isinstance(error, PermissionError) or status in (401, 403) or text.startswith("Forbidden"):
        return StorageError(f"{uri}: permission denied ({text}); give credentials as {credentials_of(uri)}")
    if "credential" in f"{kind} {text}".lower():
        return StorageError(f"{uri}: no credentials ({text}); give them as {credentials_of(uri)}")
    return StorageError(f"{uri}: {kind}: {text}")


def _status(error: Exception) -> Any:
    """What the server answered, by whichever name the library has for it."""
    return next((found for name in ("status", "code", "status_code") if (found := getattr(error, name, None))), None)


def _code(error: Exception) -> Any:
    """What S3 or Azure calls the error."""
    response = getattr(error.__cause__, "response", None)
    return response.get("Error", {}).get("Code") if isinstance(response, dict) else getattr(error, "error_code", None)


def _file_system(uri: str, scheme: str) -> tuple[Any, str]:
    import fsspec

    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs tracebacks of what it also raises
    # No instance of another call: those remember listings, and releases come and go.
    return fsspec.core.url_to_fs(uri, skip_instance_cache=True, use_listings_cache=False, **_OPTIONS.get(scheme, {}))


def _unwrapped(error: Exception) -> Exception:
    """What went wrong where fsspec asks a web server for a file's size: all that does it call a missing file."""
    cause = error.__cause__
    is_told = isinstance(cause, Exception) and type(cause).__module__.startswith(("aiohttp", "asyncio"))
    return cause if isinstance(error, FileNotFoundError) and is_told else error  # type: ignore[return-value]


def _with_retries(call: Callable[[], _T], waits: tuple[float, ...]) -> _T:
    for wait in waits:
        try:
            return call()
        except Exception as error:
            if not _may_pass(_unwrapped(error)):
                raise
        time.sleep(wait)
    return call()


def _may_pass(error: Exception) -> bool:
    """Whether another attempt could succeed: the network, a busy server; not what is said to be so."""
    if isinstance(error, _FINAL) or "credential" in type(error).__name__.lower() or "Forbidden" in str(error):
        return False
    status = _status(error)
    if isinstance(status, int):
        return status >= 500 or status in (408, 429)
    return isinstance(error, (OSError, TimeoutError)) or type(error).__module__.startswith("aiohttp")


def _read_at(file: Any, position: int) -> bytes:
    file.seek(position)
    return bytes(file.read(_CHUNK_BYTES))
