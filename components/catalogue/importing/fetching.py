"""Fetches pictures from the URLs of a sheet that somebody else may have written.

Only http and https; only addresses of the public internet, unless told otherwise, also behind names and redirects; a
bounded number of bytes, of seconds and of calls at once. Nothing of the environment (proxies, ``.netrc``) is used.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

import aiohttp

from components.catalogue.reading.source import MAX_IMAGE_BYTES

AT_ONCE: Final = 16
AT_ONCE_OF_A_HOST: Final = 8
SECONDS: Final = 60.0  # for one picture, all of it
TRIES: Final = 3
REDIRECTS: Final = 5
_PAUSE: Final = 0.5  # seconds before the second try; twice that before the third
_CHUNK: Final = 1 << 16
_WORTH_A_TRY: Final = frozenset((408, 425, 429, 500, 502, 503, 504))


class Unfetched(Exception):
    """A picture could not be had; the message says why."""


class _Later(Exception):
    """It may be had at another time."""


def fetch_all(urls: Sequence[str], take: Callable[[str, bytes | Unfetched], None], allow_private: bool = False) -> None:
    """Fetches each URL, and hands over what came of it as soon as it is there.

    Args:
        urls: each once.
        take: called with the URL and its bytes, or why there are none; one call at a time.
        allow_private: also from addresses of this machine and its own networks.
    """
    asyncio.run(_fetch_all(urls, take, allow_private))


async def _fetch_all(urls: Sequence[str], take: Callable[[str, bytes | Unfetched], None], allow_private: bool) -> None:
    connector = aiohttp.TCPConnector(
        limit=AT_ONCE, limit_per_host=AT_ONCE_OF_A_HOST, socket_factory=_socket if allow_private else _public_socket
    )
    remaining = iter(urls)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=SECONDS),
        headers={"User-Agent": "lookbook-import", "Accept": "image/*"},
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:

        async def work() -> None:
            for url in remaining:
                take(url, await _fetched(session, url))

        await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(urls)))))


async def _fetched(session: aiohttp.ClientSession, url: str) -> bytes | Unfetched:
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(_PAUSE * attempt)
        try:
            return await _once(session, url)
        except Unfetched as fault:
            return fault
        except (_Later, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, asyncio.TimeoutError) as error:
            if _is_refused(error):
                return Unfetched(str(error.__cause__ or error))
            last = str(error) or f"no whole answer within {SECONDS:.0f} s"
        except (aiohttp.ClientError, ValueError, UnicodeError) as error:
            return Unfetched(f"{type(error).__name__}: {error}")
    return Unfetched(f"{last}, {TRIES} times")


async def _once(session: aiohttp.ClientSession, url: str) -> bytes:
    async with session.get(url, max_redirects=REDIRECTS) as response:
        if response.status in _WORTH_A_TRY:
            raise _Later(f"HTTP {response.status}")
        if response.status != 200:
            raise Unfetched(f"HTTP {response.status} {response.reason}")
        return b"".join([chunk async for chunk in _bounded(response)])


async def _bounded(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > MAX_IMAGE_BYTES:
            raise Unfetched(f"more than {MAX_IMAGE_BYTES:,} bytes")
        yield chunk


class _Refused(OSError):
    """An address that is not called."""


def _socket(address: Any) -> socket.socket:
    return socket.socket(address[0], address[1], address[2])


def _public_socket(address: Any) -> socket.socket:
    """A socket to an address of the public internet; here no name, redirect or number gets around the look."""
    host = ipaddress.ip_address(address[4][0].partition("%")[0])
    plain = getattr(host, "ipv4_mapped", None) or host
    if not plain.is_global or plain.is_multicast:
        raise _Refused(f"{plain} is an address of this machine or its own network; give --allow-private to fetch there")
    return _socket(address)


def _is_refused(error: BaseException) -> bool:
    return isinstance(error, _Refused) or isinstance(error.__cause__, _Refused) or "--allow-private" in str(error)
