"""ASGI middleware in front of an engine: checks the key and the limits of requests.

It is the outermost middleware and runs in the engine's process. The engine gets only requests that it should work on.
Standard library only.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Sequence

from ftrun_plugins.serving import hosts, http_errors
from ftrun_plugins.serving.engine_errors import EngineErrors
from ftrun_plugins.serving.http_errors import App, HttpError, Message, Receive, Send
from ftrun_plugins.serving.request_limits import LimitedRequest, Limits

LIMITS = "FTRUN_SERVING_LIMITS"  # as JSON
NO_TOOLS = "FTRUN_SERVING_NO_TOOLS"  # answer to requests with tools; not set if the engine parses calls of tools
KEY = "FTRUN_SERVING_KEY"  # not an argument, because every user of a machine sees arguments
MODELS = "FTRUN_SERVING_MODELS"  # names of the served models, as JSON
HOSTS = "FTRUN_SERVING_HOSTS"  # further names of the server, as JSON; not set if every name is allowed
HEALTH = "/health"  # needs no key with GET, and never takes a place
ADMIT = "ftrun.admit"  # of a scope: a function that lifts the limits of the connection
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
        self._engine = EngineErrors(app, json.loads(os.environ.get(MODELS, "[]")))
        self._limits = Limits(**json.loads(os.environ[LIMITS]))
        self._key = os.environ.get(KEY)
        self._no_tools = os.environ.get(NO_TOOLS, "")
        self._hosts: list[str] | None = json.loads(os.environ.get(HOSTS, "null"))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # engines do not support websockets
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        error = self._check(scope)
        if error is not None:
            await error.answer_unread(scope, receive, send)
        elif _is_without_work(scope):
            await self._engine(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        _admit(scope)
        release = REQUEST_COUNTER.enter()
        try:
            request = LimitedRequest(self._engine, self._limits, scope, receive, send, release, self._no_tools)
            await request.run()
        finally:
            release()

    def _check(self, scope: Message) -> HttpError | None:
        if REQUEST_COUNTER.closed:
            return http_errors.server_stopping()
        return self._check_host(scope) or self._check_key(scope) or self._check_limits(scope)

    def _check_host(self, scope: Message) -> HttpError | None:
        if self._hosts is None:
            return None
        given = [value.decode("latin-1") for value in _values(scope, b"host")] or [""]
        unknown = [host for host in given if not hosts.is_allowed(host, self._hosts)]
        return http_errors.unknown_host(unknown[0]) if unknown else None

    def _check_key(self, scope: Message) -> HttpError | None:
        if not self._key:
            return None
        scheme, _, given = (_values(scope, b"authorization") or [b""])[0].partition(b" ")
        if scheme.lower() == b"bearer" and hmac.compare_digest(given, self._key.encode()):
            _admit(scope)
            return None
        return None if (scope["method"], scope["path"]) == ("GET", HEALTH) else http_errors.missing_key()

    def _check_limits(self, scope: Message) -> HttpError | None:
        if _is_without_work(scope):
            return None
        if int((_values(scope, b"content-length") or [b"0"])[0]) > self._limits.max_request_bytes:
            return http_errors.request_too_large(self._limits.max_request_bytes)
        if REQUEST_COUNTER.active >= self._limits.max_requests:
            return http_errors.too_many_requests(self._limits.max_requests)
        return None


def _is_without_work(scope: Message) -> bool:
    return scope["method"] in WITHOUT_WORK or scope["path"] == HEALTH


def _admit(scope: Message) -> None:
    admit: Callable[[], None] | None = scope.get(ADMIT)
    if admit is not None:
        admit()


def _values(scope: Message, name: bytes) -> list[bytes]:
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    return [value for key, value in headers if key == name]
