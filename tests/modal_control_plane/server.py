"""What grpclib serves: every request is recorded, checked, perhaps failed on purpose, and handed to its handler."""

from __future__ import annotations

import asyncio
import inspect
import traceback
import weakref
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from google.protobuf.message import Message  # type: ignore[import-untyped]
from grpclib import GRPCError, Status
from grpclib.const import Handler
from grpclib.protocol import H2Protocol
from grpclib.server import Server, Stream
from modal_proto import api_grpc

from .faults import Faults
from .recording import Recording
from .state import Container

F = TypeVar("F", bound=Callable[..., Any])

POLLS = {"FunctionGetOutputs", "FunctionGetInputs", "ContainerHeartbeat"}
REMEMBERED = 500  # answers kept for requests that come again

_container: ContextVar[Container | None] = ContextVar("container", default=None)


def rpc(name: str) -> Callable[[F], F]:
    """Marks a method as the handler of an RPC."""

    def mark(method: F) -> F:
        method.__rpc__ = name  # type: ignore[attr-defined]
        return method

    return mark


def calling() -> Container:
    """The container whose request is being handled."""
    if (container := _container.get()) is None:
        raise GRPCError(Status.PERMISSION_DENIED, "only a container may ask this")
    return container


class Dispatcher:
    """Finds the handlers of the services, and answers for all endpoints."""

    def __init__(self, services: Iterable[object], token: tuple[str, str], recording: Recording) -> None:
        methods = [method for service in services for _, method in inspect.getmembers(service, inspect.ismethod)]
        self._handlers = {method.__rpc__: method for method in methods if hasattr(method, "__rpc__")}
        self._token, self._recording = token, recording
        self._answered: OrderedDict[str, Message] = OrderedDict()
        self.faults = Faults()
        self.counts: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.errors: list[str] = []

    async def answer(self, name: str, stream: Stream[Any, Any], container: Container | None) -> None:
        if (request := await stream.recv_message()) is None:
            return
        _container.set(container)
        self.counts[name] += 1
        self._recording.add(name, container.id if container else "client", request.SerializeToString())
        metadata: Mapping[str, Any] = stream.metadata or {}
        token = (metadata.get("x-modal-token-id"), metadata.get("x-modal-token-secret"))
        if container is None and token != self._token:
            raise GRPCError(Status.UNAUTHENTICATED, "the token is not this control plane's")
        self.faults.before(name)
        if name not in self._handlers:
            self.unknown[name] += 1
            raise GRPCError(Status.UNIMPLEMENTED, f"this control plane has no {name}")
        try:
            await self._handle(name, request, str(metadata.get("x-idempotency-key", "")), stream)
        except GRPCError:
            raise
        except Exception as error:
            self.errors.append(traceback.format_exc())
            raise GRPCError(Status.FAILED_PRECONDITION, f"{name}: {error!r} in the control plane") from error

    async def _handle(self, name: str, request: Message, key: str, stream: Stream[Any, Any]) -> None:
        if key in self._answered:  # its answer was lost on the way: what it asked for is not done twice
            await stream.send_message(self._answered[key])
            return
        answer = self._handlers[name](request)
        if isinstance(answer, AsyncIterator):
            async for message in answer:
                await stream.send_message(message)
            return
        message = await (self.faults.poll(answer) if name in POLLS else answer)
        message = Empty() if message is None else message
        if key and name not in POLLS:
            self._remember(key, message)
        self.faults.after(name)
        await stream.send_message(message)

    def _remember(self, key: str, message: Message) -> None:
        self._answered[key] = message
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)


class _Nothing:
    """Stands for an implementation where only the names and types of the RPCs are wanted."""

    def __getattr__(self, name: str) -> None:
        return None


RPCS: Mapping[str, Handler] = api_grpc.ModalClientBase.__mapping__(_Nothing())  # type: ignore[arg-type]


class Endpoint:
    """One for clients, and one for each container: containers do not say who they are, so each has its own socket."""

    def __init__(self, dispatcher: Dispatcher, container: Container | None = None) -> None:
        self._dispatcher, self._container = dispatcher, container

    def __mapping__(self) -> dict[str, Handler]:
        return {path: known._replace(func=self._answering(path.rsplit("/", 1)[1])) for path, known in RPCS.items()}

    def _answering(self, name: str) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def answer(stream: Stream[Any, Any]) -> None:
            await self._dispatcher.answer(name, stream, self._container)

        return answer


class RpcServer(Server):
    """grpclib's server, which drops its connections when it ends instead of leaving them open."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__([endpoint])
        self._protocols: weakref.WeakSet[H2Protocol] = weakref.WeakSet()

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        self._protocols.add(protocol)
        return protocol

    @property
    def address(self) -> str:
        assert isinstance(self._server, asyncio.Server)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def end(self) -> None:
        if self._server is None:
            return
        self.close()
        for protocol in list(self._protocols):
            protocol.processor.close("the control plane stops")
        await self.wait_closed()
        await asyncio.sleep(0)  # transports close in the loop's next turn
