"""HTTP clients. The library takes long to import, so it is imported by the functions that use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

USER_AGENT = "ftrun"


def client(
    timeout: float, *, follow_redirects: bool = True, on_request: Callable[[httpx2.Request], Any] | None = None
) -> httpx2.Client:
    """Return a client.

    Args:
        timeout: Maximum time between two bytes in seconds.
        follow_redirects: Follow redirects. The header `Authorization` is not sent to another host.
        on_request: Function that can change each request before it is sent.
    """
    import httpx2

    hooks = {"request": [on_request] if on_request else []}
    headers = {"User-Agent": USER_AGENT}
    return httpx2.Client(timeout=timeout, follow_redirects=follow_redirects, event_hooks=hooks, headers=headers)


def local_client(timeout: float) -> httpx2.Client:
    """Return a client for servers of this machine, without TLS and proxies."""
    import httpx2

    return httpx2.Client(timeout=timeout, trust_env=False, verify=False)


def is_healthy(url: str, timeout: float) -> bool:
    """Return whether a server of this machine answers with status 200."""
    import httpx2

    try:
        with local_client(timeout) as http:
            return http.get(url).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def error_text(error: Exception) -> str:
    """Return the reason of an error of the library in one line."""
    response: httpx2.Response | None = getattr(error, "response", None)
    if response is not None:
        return f"the server answers {response.status_code} {response.reason_phrase}".rstrip()
    return " ".join(str(error).split()) or type(error).__name__
