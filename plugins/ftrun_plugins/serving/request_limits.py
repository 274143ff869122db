"""Limits of size and time of a request and its answer. Standard library only, because it runs with the engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ftrun_plugins.serving import http_errors
from ftrun_plugins.serving.http_errors import App, HttpError, Message, Receive, Send

GRACE = 1.0  # seconds after a timeout: for the client to receive the error, and for the engine to stop its work


@dataclass(frozen=True)
class Limits:
    """Limits of requests from the recipe's section `serve`; times in seconds."""

    max_requests: int
    max_request_bytes: int
    request_timeout: float
    stream_timeout: float


class LimitedRequest:
    """A request that is read completely before the engine gets it, and its answer.

    The engine never gets a request that is too large or incomplete. The start of the answer is held back until its
    first byte exists, because until then the answer can become a 504. `free` releases the request's place before the
    last byte is sent, so that a client can send its next request as soon as it has the answer. `no_tools` is the answer
    to requests with tools that the engine cannot serve; empty if it can.
    """

    def __init__(
        self,
        app: App,
        limits: Limits,
        scope: Message,
        receive: Receive,
        send: Send,
        free: Callable[[], None],
        no_tools: str = "",
    ) -> None:
        self._app = app
        self._no_tools = no_tools
        self._limits = limits
        self._scope = scope
        self._receive = receive
        self._send = send
        self._free = free
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self._deadline = self._began + limits.request_timeout
        self._request: bytes | None = None
        self._start: Message | None = None  # of the answer; held back until its first byte
        self._begun = self._ended = False
        self._over = asyncio.Event()  # the client has gone, or the time is over

    async def run(self) -> None:
        """Read the request, pass it to the engine and return when the engine no longer works on it."""
        try:
            async with asyncio.timeout_at(self._deadline):
                request = await self._read()
        except TimeoutError:
            request = http_errors.request_timeout(self._limits.request_timeout)
        if isinstance(request, bytes) and self._no_tools and asks_for_tools(request):
            request = http_errors.no_tools(self._no_tools)
        if isinstance(request, HttpError):
            await request.answer_unread(self._scope, self._receive, self._send)
        elif request is not None:
            self._request = request
            await self._answer()

    async def _read(self) -> bytes | HttpError | None:
        """Return the body, or None if the client has gone."""
        pieces, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return None
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._limits.max_request_bytes:
                return http_errors.request_too_large(self._limits.max_request_bytes)
            more = message.get("more_body", False)
        return b"".join(pieces)

    async def _answer(self) -> None:
        answering = asyncio.ensure_future(self._app(self._scope, self._receive_body, self._forward))
        waiting = asyncio.create_task(self._wait_for_client())
        try:
            await asyncio.wait((answering, waiting), return_when=asyncio.FIRST_COMPLETED)
            if self._ended or not waiting.done():
                await answering
                return
            self._over.set()  # the engine stops for a timeout as for a client that has gone
            if waiting.result():
                with suppress(TimeoutError):  # the client may not read any more
                    await asyncio.wait_for(self._send_timeout(), GRACE)
            await asyncio.wait((answering,), timeout=GRACE)
        finally:
            waiting.cancel()
            answering.cancel()

    async def _wait_for_client(self) -> bool:
        """Wait until the client has gone or the time is over; return whether the time is over."""
        while self._now() < self._deadline:
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._receive()  # after the body, the only message is the disconnect
                    return False
            except TimeoutError:
                continue  # an answer that has begun has a later deadline
        return True

    async def _send_timeout(self) -> None:
        if not self._begun:
            await http_errors.answer_timeout(self._limits.request_timeout).answer(self._send)
        elif _is_event_stream(self._start):
            body = b"data: " + http_errors.stream_timeout(self._limits.stream_timeout).body + b"\n\n"
            await self._send({"type": "http.response.body", "body": body})

    async def _receive_body(self) -> Message:
        """Return the whole body for the engine; the next call waits until the request is over."""
        if self._request is not None:
            body, self._request = self._request, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _forward(self, message: Message) -> None:
        if self._over.is_set():
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        if not self._begun and self._start is not None:
            self._begun = True
            self._deadline = self._began + max(self._limits.request_timeout, self._limits.stream_timeout)
            await self._send(self._start)
        self._ended = not message.get("more_body", False)
        if self._ended:
            self._free()
        await self._send(message)


def asks_for_tools(body: bytes) -> bool:
    """Return True if a request offers tools that the model may call."""
    if b'"tools"' not in body:
        return False
    request = parse_object(body)
    return bool(request.get("tools")) and request.get("tool_choice") != "none"


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request; an empty one if it is something else, which the engine reports."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return request if isinstance(request, dict) else {}


def _is_event_stream(start: Message | None) -> bool:
    headers = dict(start["headers"]) if start else {}
    return bool(headers.get(b"content-type", b"").startswith(b"text/event-stream"))
