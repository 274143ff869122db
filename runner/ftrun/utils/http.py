"""HTTP clients of ftrun and its plugins. A client sends secrets to one origin only, also if a server redirects it.

The library takes long to import, so it is imported by the functions that use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx2

USER_AGENT = "ftrun"
PORTS = {"http": 80, "https": 443}
SECRET_HEADERS = ("authorization", "cookie", "api-key", "x-api-key", "x-auth-token")


def client(
    timeout: float,
    *,
    home: str | None = None,
    follow_redirects: bool = True,
    on_request: Callable[[httpx2.Request], Any] | None = None,
) -> httpx2.Client:
    """Return a client.

    Args:
        timeout: Maximum time between two bytes in seconds.
        home: URL of the server that may get secrets. Default: no server may get them.
        follow_redirects: Follow redirects.
        on_request: Function that can change each request before it is sent.
    """
    import httpx2

    hooks = {"request": [*([on_request] if on_request else []), keep_secrets(home)]}
    return httpx2.Client(
        timeout=timeout, follow_redirects=follow_redirects, event_hooks=hooks, headers={"User-Agent": USER_AGENT}
    )


def keep_secrets(home: str | Callable[[], str] | None) -> Callable[[Any], None]:
    """Return a hook that removes secrets from requests to another scheme, host or port than those of `home`.

    Clients run it before each request, also before one that follows a redirect. It fits httpx and httpx2.
    """

    def remove_secrets(request: Any) -> None:
        allowed = home() if callable(home) else home
        if allowed is None or _origin(str(request.url)) != _origin(allowed):
            for name in SECRET_HEADERS:
                request.headers.pop(name, None)

    return remove_secrets


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


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
