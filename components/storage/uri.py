"""Addresses of what does not lie on this machine; a secret in one is refused, and never printed."""

import re
from typing import Final

from components.storage.errors import StorageError

SCHEMES: Final = ("gs", "s3", "az", "http", "https", "hdfs", "file")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


def is_uri(text: str) -> bool:
    """Whether a text is meant as a URI, be it a good one or not; else it is a path."""
    return _SCHEME.fullmatch(text) is not None


def checked(text: str) -> str:
    """The URI without slashes at its end, if it is one that can be read and printed.

    Raises:
        StorageError: its scheme is unknown, it names no place, or it holds what may be a secret.
    """
    match = _SCHEME.fullmatch(text)
    scheme = match[1].lower() if match else ""
    if not match or scheme not in SCHEMES:
        known = ", ".join(f"{one}://" for one in SCHEMES)
        raise StorageError(f"{scheme or 'no scheme'}:// is not known; known are {known} and paths of this machine")
    place = match[2].rstrip("/")
    if scheme == "file" and not place.startswith("/"):
        if place.partition("/")[0] != "localhost":
            # It would be a path below whatever folder this process is in. Not shown either: it may have a user.
            raise StorageError("the file:// URI names a machine, or no whole path; give file:///folder, or a path")
        place = place.removeprefix("localhost")
    authority, _, path = place.partition("/")
    if scheme != "file" and ("?" in place or "#" in place or "@" in authority):
        # It would lie in logs, reports and the record of the run. That is why it is not shown here either.
        raise StorageError(
            f"the {scheme}:// URI holds a query, a fragment or a user, which may be a secret and is not printed; give "
            f"a URI without, and credentials as {_LIBRARIES[scheme]}"
        )
    if not authority and scheme != "file":
        raise StorageError(f"{scheme}:// names no {'host' if scheme.startswith('h') else 'bucket'}")
    if "::" in place or ".." in path.split("/") or any(one < " " for one in place):
        raise StorageError(f"{text!r} holds .., :: or a control character, which means nothing in a URI")
    return f"{scheme}://{place}"


def credentials_of(uri: str) -> str:
    """How credentials for a URI are given, in words."""
    return _LIBRARIES[uri.partition("://")[0]]


_LIBRARIES: Final = {
    "gs": "gcsfs takes them (GOOGLE_APPLICATION_CREDENTIALS, gcloud, or the machine's own)",
    "s3": "boto takes them (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the machine's role)",
    "az": "adlfs takes them (AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY, or the machine's identity)",
    "http": "~/.netrc has them",
    "https": "~/.netrc has them",
    "hdfs": "Hadoop takes them (HADOOP_USER_NAME, a Kerberos ticket)",
    "file": "this machine's user has them",
}
