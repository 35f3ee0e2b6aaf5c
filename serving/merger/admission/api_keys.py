"""Who calls: the owner of an API key where keys are asked for, else an address."""

import hashlib
import hmac
import ipaddress
import logging
import os
import time
from pathlib import Path
from typing import Final

from serving.merger.core.errors import Forbidden, SettingsError, Unauthenticated
from serving.merger.core.networks import is_anybodys, unmapped

API_KEY_HEADER: Final = "x-api-key"
AUTHORIZATION_HEADER: Final = "authorization"
SHORTEST_KEY: Final = 16
LOOK_S: Final = 1.0

log = logging.getLogger(__name__)


class ApiKeys:
    """Tells callers apart, and turns strangers away where there is a file of keys.

    Args:
        keys_file: lines ``name key``; an empty path asks nobody for a key. It is read anew when it changes.
        is_private: whether nobody but this machine is meant where nobody is asked for a key.

    Raises:
        SettingsError: the file cannot be read, or a line of it is wrong.
    """

    def __init__(self, keys_file: str, *, is_private: bool = False) -> None:
        self._is_private = is_private
        self._file = Path(keys_file) if keys_file else None
        self._stamp = _stamp(self._file) if self._file else None
        self._digests = read_keys(self._file) if self._file else {}
        self._looked = time.monotonic()

    def identify(self, headers: dict[str, str], address: str) -> str:
        """The caller's name.

        Args:
            headers: with names in lower case; ``Authorization: Bearer KEY`` or ``X-API-Key: KEY`` holds the key.
            address: without a port; the name of a caller when no keys are asked for.

        Raises:
            Unauthenticated: a key is asked for, and this is none that is known.
            Forbidden: a browser on this machine was led here by a page of somebody else, under that one's name.
        """
        if not self._file:
            self._require_our_name(headers.get("host"))
            return sender(address)
        self._refresh(self._file)
        given = _given_key(headers)
        if not given:
            raise Unauthenticated(
                f"The call has no API key; send one in “{API_KEY_HEADER}” or as “{AUTHORIZATION_HEADER}: Bearer …”."
            )
        owner = self._owner(given)
        if owner is None:
            raise Unauthenticated("The API key is not known; ask whoever runs Lookbook for one.")
        return owner

    def _require_our_name(self, host: str | None) -> None:
        """Of our names browsers let nobody else's page read answers; of its own name, which it has mean us, they do."""
        if host and self._is_private and is_anybodys(host):
            raise Forbidden(
                "The request names another host: where nobody needs a key, this merger is localhost, or an address. "
                "For other names it needs a LOOKBOOK_API_KEYS_FILE, or LOOKBOOK_ANONYMOUS=true."
            )

    def _owner(self, given: str) -> str | None:
        digest, owner = _digest(given), None
        # Every key is compared, each in constant time: how long it takes tells nothing about which was nearly right.
        for name, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                owner = name
        return owner

    def _refresh(self, file: Path) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        stamp = _stamp(file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._digests = read_keys(file)
            log.info("API keys read anew", extra={"keys": len(self._digests)})
        except SettingsError as error:
            log.error("the API keys stay as they were", extra={"reason": str(error)})


def sender(address: str) -> str:
    """Whoever sends from an address: of IPv6 all of its /64, since that is the least that anybody is given."""
    address = unmapped(address)
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


def read_keys(file: Path) -> dict[str, bytes]:
    """Name → SHA-256 of its key; empty lines and ``#`` comments are left out.

    Raises:
        SettingsError: the file cannot be read, holds no key, or a line is wrong; a key is never part of the message.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file of API keys {file} cannot be read: {error}") from error
    digests: dict[str, bytes] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or len(words[1]) < SHORTEST_KEY or not words[1].isascii() or words[0] in digests:
            raise SettingsError(
                f"{file}, line {number}: it must be a name that no other line has and a key of at least {SHORTEST_KEY} "
                "ASCII characters, with a space between them."
            )
        digests[words[0]] = _digest(words[1])
    if not digests:
        raise SettingsError(f"{file} holds no key; each line must be a name, a space and a key.")
    return digests


def _given_key(headers: dict[str, str]) -> str:
    scheme, _, bearer = headers.get(AUTHORIZATION_HEADER, "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else headers.get(API_KEY_HEADER, "")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - follows the links by which Kubernetes swaps a Secret
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
