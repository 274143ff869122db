"""Connections of uvicorn, with limits on clients that have not shown the key.

uvicorn waits without end for the headers of a request and keeps them all. The middleware sees a request only after its
headers. So the limits on their size and time, and on the number of clients without a key, are here.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

from uvicorn import config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ftrun_plugins.serving import http_errors
from ftrun_plugins.serving.http_errors import HttpError
from ftrun_plugins.serving.middleware import ADMIT

MAX_HEADER_BYTES = 65_536
MAX_STRANGERS = 256  # connections without a key; more than that end the oldest
ERRORS = logging.getLogger(__name__)  # without uvicorn's warnings of each request that is no HTTP
ERRORS.setLevel(logging.ERROR)
SECONDS_FOR_HEADERS = 10.0
SECONDS_FOR_REFUSAL = 15.0  # more than `http_errors.SECONDS_TO_DISCARD`


class BoundedConnection(HttpToolsProtocol):  # type: ignore[misc]  # uvicorn is not in the client
    """Connection that ends if its client is slow or sends too much before a request is admitted.

    The middleware admits a request that has the key, or a place on a server without a key. A connection is a stranger
    until then, and again when its next request has arrived. If there are too many strangers, the oldest one ends,
    because a client with the key needs only an instant to show it.
    """

    _strangers: ClassVar[dict[BoundedConnection, None]] = {}  # in the order of their age

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ws_protocol_class = None  # no engine here has websockets, and their handshake has no limits
        self.logger = ERRORS
        self._is_stranger = True
        self._in_headers = True
        self._header_bytes = 0
        self._error = http_errors.malformed_request()
        self._timer: asyncio.TimerHandle | None = None

    def admit(self) -> None:
        """Lift the limits from the current request."""
        self._is_stranger = False
        self._forget()

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait(SECONDS_FOR_HEADERS)
        if len(self._strangers) > MAX_STRANGERS:
            next(iter(self._strangers))._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self._refuse(http_errors.headers_too_large(MAX_HEADER_BYTES))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._is_answering:
            self._wait(SECONDS_FOR_HEADERS)

    def on_headers_complete(self) -> None:
        self._in_headers = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEADER_BYTES:
            self._error = http_errors.headers_too_large(MAX_HEADER_BYTES)
            raise ValueError("headers too large")  # the parser stops, and uvicorn calls `send_400_response`
        self.scope[ADMIT] = self.admit
        self._is_stranger = True
        if not self._is_answering:
            self._wait(SECONDS_FOR_REFUSAL)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_headers, self._header_bytes = True, 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait(SECONDS_FOR_REFUSAL)

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._error)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        """End the connection after some seconds if no request is admitted before."""
        self._forget()
        if self._is_stranger:
            self._strangers[self] = None
        self._timer = self.loop.call_later(seconds, self._end)

    def _forget(self) -> None:
        self._strangers.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self._forget()
        if self._in_headers and self._header_bytes:
            self._refuse(http_errors.headers_timeout(SECONDS_FOR_HEADERS))
        else:
            self.transport.abort()

    def _refuse(self, error: HttpError) -> None:
        if self._is_answering or self.transport.get_write_buffer_size():
            self.transport.abort()  # the client would take the error for a part of another answer, or takes nothing
        else:
            self.transport.write(error.raw)
            self.transport.close()


def install() -> None:
    """Let every server of this process use these connections. Engines do not say which ones they use."""
    assert "auto" in config.HTTP_PROTOCOLS
    config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{BoundedConnection.__name__}"
