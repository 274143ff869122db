"""Stands before an engine's own server, in its process: asks for the key and keeps requests within limits.

An ASGI middleware, the outermost: the engine sees only what it is to work on. Standard library only.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Sequence

from ftrun_plugins.serving import http_errors
from ftrun_plugins.serving.http_errors import App, HttpError, Message, Receive, Send
from ftrun_plugins.serving.request_limits import LimitedRequest, Limits

LIMITS = "FTRUN_SERVING_LIMITS"  # as JSON
KEY = "FTRUN_SERVING_KEY"  # never an argument, which every user of a machine sees
HEALTH = "/health"
WITHOUT_WORK = ("GET", "HEAD", "OPTIONS")  # about the server and its models; never limited


class RequestCounter:
    """Of the process: how many requests are under way, and whether others may still come."""

    def __init__(self) -> None:
        self.under_way = 0
        self.closed = False

    def enter(self) -> Callable[[], None]:
        """Counts one more until the function that it returns is called, once or more often."""
        self.under_way += 1
        inside = 1

        def leave() -> None:
            nonlocal inside
            self.under_way -= inside
            inside = 0

        return leave


DOOR = RequestCounter()


class AuthMiddleware:
    """The middleware; an engine that makes it gives it nothing but the application behind it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._limits = Limits(**json.loads(os.environ[LIMITS]))
        self._key = os.environ.get(KEY)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # nothing here speaks by them
            return
        found = self._refusal(scope) if scope["type"] == "http" else None
        if found is not None:
            await found.answer_unread(scope, receive, send)
        elif scope["type"] != "http" or scope["method"] in WITHOUT_WORK:
            await self._app(scope, receive, send)
        else:
            leave = DOOR.enter()
            try:
                await LimitedRequest(self._app, self._limits, scope, receive, send, leave).run()
            finally:
                leave()

    def _refusal(self, scope: Message) -> HttpError | None:
        if DOOR.closed:
            return http_errors.stopping()
        if scope["path"] != HEALTH and scope["method"] != "OPTIONS" and not self._is_allowed(scope["headers"]):
            return http_errors.no_key()
        if scope["method"] in WITHOUT_WORK:
            return None
        if int(_header(scope["headers"], b"content-length") or 0) > self._limits.max_request_bytes:
            return http_errors.too_large(self._limits.max_request_bytes)
        if DOOR.under_way >= self._limits.max_requests:
            return http_errors.too_many(self._limits.max_requests)
        return None

    def _is_allowed(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        scheme, _, given = _header(headers, b"authorization").partition(b" ")
        return not self._key or (scheme.lower() == b"bearer" and hmac.compare_digest(given, self._key.encode()))


def _header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for found, value in headers if found == name), b"")
