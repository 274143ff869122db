"""HTTP errors that a server answers instead of the engine, in the shape of OpenAI's API.

Runs in the engine's environment, like all code in front of the engine: standard library only.
"""

from __future__ import annotations

import asyncio
import http
import json
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]  # an ASGI message
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
SECONDS_TO_DISCARD = 10.0  # the rest of a request
MAX_CHARACTERS = 100  # of what a client sent, in a message
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class HttpError:
    """An error as the answer to a request. `type` and `code` are values of OpenAI's API."""

    status: int
    type: str
    code: str
    text: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    param: str | None = None

    @property
    def body(self) -> bytes:
        """JSON of the error."""
        error = {"message": self.text, "type": self.type, "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()

    @property
    def raw(self) -> bytes:
        """Bytes of the whole answer, which ends the connection."""
        lines = [f"HTTP/1.1 {self.status} {http.HTTPStatus(self.status).phrase}", "connection: close"]
        lines += ["content-type: application/json", f"content-length: {len(self.body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body

    async def answer(self, send: Send) -> None:
        """Send status, headers and body."""
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": [*headers, *self.headers]})
        await send({"type": "http.response.body", "body": self.body})

    async def answer_unread(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request that has not been read completely.

        The server closes the connection after the answer if the client requests this. A client that is still sending
        then never reads the answer. Therefore the rest of its request is discarded first, for at most
        `SECONDS_TO_DISCARD`.
        """
        if (b"connection", b"close") in [(name, value.lower()) for name, value in scope["headers"]]:
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_TO_DISCARD):
                    while (await receive()).get("more_body"):
                        pass
        await self.answer(send)


def missing_key() -> HttpError:
    """Return the error for a request without the right key."""
    text = "the key is missing or wrong: Authorization: Bearer KEY"
    return HttpError(401, "invalid_request_error", "invalid_api_key", text, ((b"www-authenticate", b"Bearer"),))


def unknown_host(host: str) -> HttpError:
    """Return the error for a request to a name that the server does not have."""
    text = f"the server does not answer to the name `{_shorten(host)}`; serve.allowed_hosts adds names"
    return HttpError(403, "invalid_request_error", "unknown_host", text)


def unknown_model(model: str, names: Collection[str]) -> HttpError:
    """Return the error for a request to a model that is not served."""
    served = f"; the models are {', '.join(names)}" if names else ""
    return HttpError(
        404, "invalid_request_error", "model_not_found", f"unknown model `{_shorten(model)}`{served}", param="model"
    )


def unknown_path(path: str) -> HttpError:
    """Return the error for a request to a path that the engine does not have."""
    return HttpError(404, "invalid_request_error", "unknown_path", f"unknown path `{_shorten(path)}`")


def method_not_allowed(method: str, path: str, allowed: bytes) -> HttpError:
    """Return the error for a request with a method that the path does not take. `allowed` is the header `Allow`."""
    text = f"`{_shorten(path)}` does not take {_shorten(method)}"
    if allowed:
        text += f"; it takes {allowed.decode('latin-1')}"
    headers = ((b"allow", allowed),) if allowed else ()
    return HttpError(405, "invalid_request_error", "method_not_allowed", text, headers)


def malformed_request() -> HttpError:
    """Return the error for bytes that are not a request of HTTP."""
    return HttpError(400, "invalid_request_error", "malformed_request", "the request is not valid HTTP")


def headers_too_large(limit: int) -> HttpError:
    """Return the error for a request with more than `limit` bytes of headers."""
    text = f"the request has more than {limit} bytes of headers"
    return HttpError(431, "invalid_request_error", "headers_too_large", text)


def headers_timeout(seconds: float) -> HttpError:
    """Return the error for headers that did not arrive in time."""
    text = f"the headers of the request did not arrive within {seconds:g} s"
    return HttpError(408, "invalid_request_error", "request_timeout", text)


def request_too_large(limit: int) -> HttpError:
    """Return the error for a request with more than `limit` bytes."""
    # does not close the connection: a client that is still sending would never read the answer
    return HttpError(413, "invalid_request_error", "request_too_large", f"the request has more than {limit} bytes")


def too_many_requests(limit: int) -> HttpError:
    """Return the error for a request beyond `limit` concurrent requests."""
    text = f"{limit} requests are in progress; retry later"
    return HttpError(429, "rate_limit_error", "too_many_requests", text, ((b"retry-after", b"1"),))


def no_tools(text: str) -> HttpError:
    """Return the error for a request with tools to a server without a parser for their calls."""
    return HttpError(400, "invalid_request_error", "unsupported_tools", text)


def request_timeout(seconds: float) -> HttpError:
    """Return the error for a request that did not arrive in time."""
    text = f"the request did not arrive within {seconds:g} s"
    return HttpError(408, "invalid_request_error", "request_timeout", text, ((b"connection", b"close"),))


def server_stopping() -> HttpError:
    """Return the error for a request to a server that is stopping."""
    return HttpError(503, "server_error", "stopping", "the server is stopping")


def answer_timeout(seconds: float) -> HttpError:
    """Return the error for an answer that did not begin in time."""
    return HttpError(504, "server_error", "timeout", f"the answer did not begin within {seconds:g} s")


def stream_timeout(seconds: float) -> HttpError:
    """Return the error for a stream that did not end in time.

    The status has been sent already. Only the body is used, as the last event of the stream.
    """
    return HttpError(504, "server_error", "timeout", f"the answer did not end within {seconds:g} s")


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
