"""What the control plane knows: apps, functions, calls and containers, and how to wait for one of them to change."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

if TYPE_CHECKING:
    from .volumes import Checkout

T = TypeVar("T")

ANONYMOUS = (pb.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP, pb.OBJECT_CREATION_TYPE_EPHEMERAL)
CREATING = (
    pb.OBJECT_CREATION_TYPE_CREATE_IF_MISSING,
    pb.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS,
    pb.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS,
)


def not_found(what: str) -> GRPCError:
    return GRPCError(Status.NOT_FOUND, f"{what} not found")


class Waiter:
    """Something that changes, and that any number of coroutines wait for."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], T], seconds: float) -> T:
        """What `condition` returns as soon as that is true, or after so many seconds anyway."""
        end = time.monotonic() + seconds
        while not (found := condition()) and (left := end - time.monotonic()) > 0:
            future = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                await asyncio.wait([future], timeout=left)
            finally:
                self._waiting.discard(future)
        return found


# Objects refer to one another in circles, so they are compared by identity and not printed.
@dataclass(eq=False, repr=False)
class App:
    id: str
    name: str
    environment: str
    state: pb.AppState.ValueType
    tags: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    logs: list[pb.TaskLogsBatch] = field(default_factory=list)
    changed: Waiter = field(default_factory=Waiter)
    created: float = field(default_factory=time.time)
    heard: float = field(default_factory=time.monotonic)
    version: int = 0
    drained: bool = False

    @property
    def live(self) -> bool:
        return self.state != pb.APP_STATE_STOPPED

    @property
    def deployed(self) -> bool:
        return self.state == pb.APP_STATE_DEPLOYED


@dataclass(eq=False, repr=False)
class Function:
    """A function as it was created, or a variant of one: what `with_options` makes."""

    id: str
    app: App
    definition: pb.Function
    data: pb.FunctionData
    metadata: pb.FunctionHandleMetadata
    params: bytes = b""
    base: str = ""  # of a variant: the function's id
    pending: deque[Call] = field(default_factory=deque)
    containers: dict[str, Container] = field(default_factory=dict)
    changed: Waiter = field(default_factory=Waiter)
    crashes: int = 0  # in a row
    asleep: bool = False  # waits before it starts a container after a crash

    @property
    def name(self) -> str:
        return self.definition.function_name


@dataclass(eq=False, repr=False)
class Call:
    """A function call with its one input (`map` is not offered)."""

    id: str
    input_id: str
    function: Function
    input: pb.FunctionInput
    client_retries: bool  # `remote` retries in the client, `spawn` here
    invocation: pb.FunctionCallInvocationType.ValueType
    parent_input: str = ""
    created: float = field(default_factory=time.time)
    retries: int = 0
    deliveries: int = 0
    cancelled: bool = False
    expired: bool = False  # its output is not kept any more
    container: Container | None = None
    output: pb.FunctionGetOutputsItem | None = None
    timer: asyncio.TimerHandle | None = None
    changed: Waiter = field(default_factory=Waiter)

    @property
    def done(self) -> bool:
        return self.output is not None


@dataclass(eq=False, repr=False)
class Container:
    id: str
    function: Function
    folder: Path  # its files and checkouts
    run: Path  # its socket, arguments and temporary files: a short path, since those of sockets are limited
    process: asyncio.subprocess.Process | None = None
    calls: dict[str, Call] = field(default_factory=dict)  # by input
    last_call: Call | None = None
    cancels: list[str] = field(default_factory=list)
    changed: Waiter = field(default_factory=Waiter)
    checkouts: dict[str, Checkout] = field(default_factory=dict)  # by volume
    stopping: bool = False
    preempted: bool = False
    took_input: bool = False
    ready: bool = False  # its own server has started, or it asks for inputs
    ended: bool = False
    failure: pb.GenericResult | None = None
    started: float = field(default_factory=time.time)

    @property
    def socket(self) -> Path:
        return self.run / "socket"

    @property
    def arguments(self) -> Path:
        return self.run / "arguments"


class State:
    """All objects by their ids, and the names of those that have one."""

    def __init__(self) -> None:
        self._counter = itertools.count(1)
        self.apps: dict[str, App] = {}
        self.functions: dict[str, Function] = {}
        self.calls: dict[str, Call] = {}
        self.inputs: dict[str, Call] = {}
        self.containers: dict[str, Container] = {}
        self.deployments: dict[tuple[str, str], App] = {}

    def new_id(self, prefix: str) -> str:
        """Sortable, unique among all control planes, and of the length of Modal's own."""
        return f"{prefix}-{next(self._counter):06d}{secrets.token_hex(8)}"

    def app(self, app_id: str) -> App:
        return _get(self.apps, app_id, "App")

    def function(self, function_id: str) -> Function:
        return _get(self.functions, function_id, "Function")

    def call(self, call_id: str) -> Call:
        return _get(self.calls, call_id, "Function call")

    def deployment(self, environment: str, name: str) -> App:
        return _get(self.deployments, (environment or "main", name), "App")


def _get(table: dict[str, T] | dict[tuple[str, str], T], key: str | tuple[str, str], kind: str) -> T:
    if key not in table:
        raise not_found(f"{kind} {key!r}")
    return table[key]  # type: ignore[index]
