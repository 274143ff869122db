"""HTTP errors that a server answers instead of the engine, in the shape of OpenAI's API.

Runs in the engine's environment, like all code in front of the engine: standard library only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]  # an ASGI message
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
SECONDS_TO_DISCARD = 10.0  # the rest of a request
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class HttpError:
    """An error as the answer to a request. `type` and `code` are values of OpenAI's API."""

    status: int
    type: str
    code: str
    text: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def body(self) -> bytes:
        """JSON of the error."""
        error = {"message": self.text, "type": self.type, "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()

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
