"""ASGI middleware in front of an engine: checks the key and the limits of requests.

It is the outermost middleware and runs in the engine's process. The engine gets only requests that it should work on.
Standard library only.
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
NO_TOOLS = "FTRUN_SERVING_NO_TOOLS"  # answer to requests with tools; not set if the engine parses calls of tools
KEY = "FTRUN_SERVING_KEY"  # not an argument, because every user of a machine sees arguments
HEALTH = "/health"
WITHOUT_WORK = ("GET", "HEAD", "OPTIONS")  # requests about the server and its models; not limited


class RequestCounter:
    """Number of active requests of the process. `closed` means that new requests are rejected."""

    def __init__(self) -> None:
        self.active = 0
        self.closed = False

    def enter(self) -> Callable[[], None]:
        """Count a request and return the function that ends it. Calling that function again has no effect."""
        self.active += 1
        share = 1

        def release() -> None:
            nonlocal share
            self.active -= share
            share = 0

        return release


REQUEST_COUNTER = RequestCounter()


class AuthMiddleware:
    """The middleware. Engines create it with the application as the only argument."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._limits = Limits(**json.loads(os.environ[LIMITS]))
        self._key = os.environ.get(KEY)
        self._no_tools = os.environ.get(NO_TOOLS, "")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # engines do not support websockets
            return
        error = self._check(scope) if scope["type"] == "http" else None
        if error is not None:
            await error.answer_unread(scope, receive, send)
        elif scope["type"] != "http" or scope["method"] in WITHOUT_WORK:
            await self._app(scope, receive, send)
        else:
            release = REQUEST_COUNTER.enter()
            try:
                request = LimitedRequest(self._app, self._limits, scope, receive, send, release, self._no_tools)
                await request.run()
            finally:
                release()

    def _check(self, scope: Message) -> HttpError | None:
        if REQUEST_COUNTER.closed:
            return http_errors.server_stopping()
        if scope["path"] != HEALTH and scope["method"] != "OPTIONS" and not self._is_allowed(scope["headers"]):
            return http_errors.missing_key()
        if scope["method"] in WITHOUT_WORK:
            return None
        if int(_header(scope["headers"], b"content-length") or 0) > self._limits.max_request_bytes:
            return http_errors.request_too_large(self._limits.max_request_bytes)
        if REQUEST_COUNTER.active >= self._limits.max_requests:
            return http_errors.too_many_requests(self._limits.max_requests)
        return None

    def _is_allowed(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        scheme, _, given = _header(headers, b"authorization").partition(b" ")
        return not self._key or (scheme.lower() == b"bearer" and hmac.compare_digest(given, self._key.encode()))


def _header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")
