"""Asking a merger by HTTP: this machine by no proxy, and nobody by a redirect, who would get the key as well."""

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from serving.client.loopback import is_loopback

SCHEMES: Final = ("http://", "https://")
MOST_BYTES: Final = 2**30
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def is_url(text: str) -> bool:
    """Whether a text is an address for :func:`get`."""
    return text.lower().startswith(SCHEMES)


def get(
    url: str,
    timeout_s: float,
    headers: Mapping[str, str] = _NONE,
    context: ssl.SSLContext | None = None,
    is_near: bool = False,
) -> bytes:
    """What an address answers, of at most :data:`MOST_BYTES`.

    Args:
        url: http or https.
        timeout_s: for each wait.
        headers: to send.
        context: for https; None: what this machine trusts.
        is_near: no proxy that the environment names is asked, whatever the host is.

    Raises:
        urllib.error.HTTPError: it answers with another status than 200 to 299; redirects are not followed.
        OSError: it cannot be asked, or breaks off.
    """
    try:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect(), urllib.request.HTTPSHandler(context=context)]
        if is_near or is_loopback(urlsplit(url).netloc):
            handlers.append(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - the caller sees to http and https
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout_s) as reply:  # nosec B310
            answer = bytes(reply.read(MOST_BYTES + 1))
    except http.client.HTTPException as error:
        raise OSError(f"it speaks no HTTP, or broke off ({type(error).__name__}: {error})") from error
    except ValueError as error:
        raise OSError(f"no address or header of HTTP: {type(error).__name__}") from error  # the header may be a key
    if len(answer) > MOST_BYTES:
        raise OSError(f"it answers more than {MOST_BYTES:,} bytes; ask for less at once")
    return answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        """Raises the redirect as an error that names where it leads."""
        raise urllib.error.HTTPError(req.full_url, code, f"it redirects to {newurl}; give that address", headers, fp)
