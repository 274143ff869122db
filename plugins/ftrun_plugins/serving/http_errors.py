"""What a server answers in the engine's place: a status with an error in OpenAI's shape.

Runs in the engine's environment, as all that stands before the engine does: the standard library only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]  # of the interface ASGI, between a server and its application
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
SECONDS_TO_SEND = 10.0  # what is thrown away
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class HttpError:
    """An answer that is an error; `type` and `code` are words of OpenAI's API."""

    status: int
    type: str
    code: str
    text: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def body(self) -> bytes:
        error = {"message": self.text, "type": self.type, "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()

    async def answer(self, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": [*headers, *self.headers]})
        await send({"type": "http.response.body", "body": self.body})

    async def answer_unread(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a request that has not been read whole.

        A client that asks for the connection to be closed is cut off once it is answered, and never sees why if it is
        still sending: what it sends is thrown away first, for a while.
        """
        if (b"connection", b"close") in [(name, value.lower()) for name, value in scope["headers"]]:
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_TO_SEND):
                    while (await receive()).get("more_body"):
                        pass
        await self.answer(send)


def no_key() -> HttpError:
    text = "the key is missing or wrong: Authorization: Bearer KEY"
    return HttpError(401, "invalid_request_error", "invalid_api_key", text, ((b"www-authenticate", b"Bearer"),))


def too_large(limit: int) -> HttpError:
    # without closing: a client that is cut off while it sends never reads the answer. What it sends is thrown away
    return HttpError(413, "invalid_request_error", "request_too_large", f"the request has more than {limit} bytes")


def too_many(limit: int) -> HttpError:
    text = f"{limit} requests are under way; ask again"
    return HttpError(429, "rate_limit_error", "too_many_requests", text, ((b"retry-after", b"1"),))


def too_slow(seconds: float) -> HttpError:
    text = f"the request did not arrive within {seconds:g} s"
    return HttpError(408, "invalid_request_error", "request_timeout", text, ((b"connection", b"close"),))


def stopping() -> HttpError:
    return HttpError(503, "server_error", "stopping", "the server stops")


def late(seconds: float) -> HttpError:
    return HttpError(504, "server_error", "timeout", f"there was no answer within {seconds:g} s")


def cut(seconds: float) -> HttpError:
    """Of a stream that has begun: its status is out, so that only the text is used."""
    return HttpError(504, "server_error", "timeout", f"the answer was not over within {seconds:g} s")
