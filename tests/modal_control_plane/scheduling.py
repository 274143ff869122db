"""Which call runs in which container; what becomes of a call whose attempt failed, or whose container went away."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from modal_proto import api_pb2 as pb

from .containers import Containers
from .state import App, Call, Container, Function, State

Result = pb.GenericResult
Format: TypeAlias = pb.DataFormat.ValueType
RETRIED = (Result.GENERIC_STATUS_FAILURE, Result.GENERIC_STATUS_TIMEOUT, Result.GENERIC_STATUS_INTERNAL_FAILURE)
STOP_GRACE = 10.0  # seconds
CRASHES_BORNE = 3  # in a row
LONGEST_SLEEP = 5.0  # seconds between containers of a function that crashes


@dataclass(frozen=True)
class Policy:
    max_containers: int = 8  # of a function that sets no limit
    idle: float = 5.0  # seconds that an idle container lives at most
    grace: float = 30.0  # seconds between the request to end and SIGKILL
    # Modal's guide has the work of a crashed container rescheduled; "fail" makes it a failed attempt (costs a retry)
    crashes: Literal["reschedule", "fail"] = "reschedule"


class Scheduler:
    def __init__(self, state: State, containers: Containers, policy: Policy) -> None:
        self._state, self._containers, self.policy = state, containers, policy
        self._background: set[asyncio.Future[Any]] = set()
        self._running: set[asyncio.Future[Any]] = set()
        self._stopped = False

    def background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def enqueue(self, call: Call, *, front: bool = False) -> None:
        function = call.function
        # a function that was deployed anew has another object under its id
        function = call.function = self._state.functions.get(function.id, function)
        (function.pending.appendleft if front else function.pending.append)(call)
        function.changed.notify()
        self.scale(function)

    def scale(self, function: Function) -> None:
        """Starts containers for what waits."""
        definition = function.definition
        limit = definition.autoscaler_settings.max_containers or definition.concurrency_limit
        each = max(definition.max_concurrent_inputs, 1)
        alive = [container for container in function.containers.values() if not container.stopping]
        free = sum(max(0, each - len(container.calls)) for container in alive)
        started = 0
        while (
            not (function.asleep or self._stopped)
            and len(function.pending) > free
            and len(alive) + started < (limit or self.policy.max_containers)
        ):
            self.start(function)
            started, free = started + 1, free + each

    def start(self, function: Function) -> Container:
        container = self._containers.new(self._state.new_id("ta"), function)
        self._state.containers[container.id] = function.containers[container.id] = container
        run = self.background(self._run(container))
        self._running.add(run)
        run.add_done_callback(self._running.discard)
        return container

    async def _run(self, container: Container) -> None:
        code: int | None = None
        try:
            code = await self._containers.run(container)
        except Exception as error:
            text = f"the container did not start: {error}"
            container.failure = Result(status=Result.GENERIC_STATUS_FAILURE, exception=text)
        finally:
            self._ended(container, code)

    def take(self, container: Container) -> Call | None:
        """The next call for a container that asks for one."""
        function = container.function
        if container.stopping or not function.pending:
            return None
        call = container.last_call = function.pending.popleft()
        call.container, call.deliveries = container, call.deliveries + 1
        container.calls[call.input_id] = call
        container.took_input = True
        seconds = function.definition.timeout_secs or 300
        loop = asyncio.get_running_loop()
        call.timer = loop.call_later(seconds, self._timed_out, call, call.deliveries, seconds)
        return call

    def attempt_ended(self, call: Call, result: Result, data_format: Format = pb.DATA_FORMAT_UNSPECIFIED) -> None:
        """Tries again if that is due here, or keeps the result."""
        policy = call.function.definition.retry_policy
        tries_left = not call.client_retries and not call.cancelled and call.retries < policy.retries
        if result.status not in RETRIED or not tries_left:
            self.finish(call, result, data_format)
            return
        delay = policy.initial_delay_ms / 1000 * (policy.backoff_coefficient or 1) ** call.retries
        delay = min(delay, policy.max_delay_ms / 1000 or delay)
        call.retries += 1
        _release(call)
        asyncio.get_running_loop().call_later(delay, self._again, call)

    def _again(self, call: Call) -> None:
        if not call.done:
            self.enqueue(call)

    def finish(self, call: Call, result: Result, data_format: Format = pb.DATA_FORMAT_UNSPECIFIED) -> None:
        if call.done:
            return
        if result.status == Result.GENERIC_STATUS_SUCCESS:
            call.function.crashes = 0
        call.output = pb.FunctionGetOutputsItem(
            result=result,
            input_id=call.input_id,
            data_format=data_format,
            retry_count=call.retries,
            task_id=call.container.id if call.container else "",
            output_created_at=time.time(),
        )
        if call in call.function.pending:
            call.function.pending.remove(call)
        _release(call)
        call.changed.notify()

    def _timed_out(self, call: Call, delivery: int, seconds: int) -> None:
        container = call.container
        if container is None or call.done or call.deliveries != delivery:
            return
        text = f"Task's current input {call.input_id} hit its timeout of {seconds}s"
        self.attempt_ended(call, Result(status=Result.GENERIC_STATUS_TIMEOUT, exception=text))
        self.background(self._containers.end(container, grace=0))

    def cancel(self, call: Call, *, terminate: bool) -> None:
        if call.done:
            return
        call.cancelled = True
        container = call.container
        if container and not terminate:
            container.cancels.append(call.input_id)
            container.changed.notify()
            self.background(self._end_unless_done(call, container))
            return
        self.finish(call, Result(status=Result.GENERIC_STATUS_TERMINATED, exception="Input was cancelled"))
        if container:
            self.background(self._containers.end(container, self.policy.grace, signal.SIGINT))

    async def _end_unless_done(self, call: Call, container: Container) -> None:
        """A function that does not obey a cancellation is ended with its container."""
        if not await call.changed.until(lambda: call.done, self.policy.grace):
            self.finish(call, Result(status=Result.GENERIC_STATUS_TERMINATED, exception="Input was cancelled"))
            await self._containers.end(container, grace=0)

    async def preempt(self, container: Container, grace: float) -> None:
        """A machine is taken away: SIGINT, a grace time, SIGKILL. Its calls run again, and no retry is used."""
        container.preempted = True
        await self._containers.end(container, grace, signal.SIGINT)

    async def kill(self, container: Container) -> None:
        await self._containers.end(container, grace=0)

    def retire(self, function: Function) -> None:
        """Its containers finish what they have, and go."""
        for container in function.containers.values():
            container.stopping = True
            if not container.calls:
                self.background(self._containers.end(container, STOP_GRACE))
        function.changed.notify()

    def stop_app(self, app: App) -> None:
        app.state = pb.APP_STATE_STOPPED
        for key in [key for key, deployed in self._state.deployments.items() if deployed is app]:
            del self._state.deployments[key]
        containers = [each for each in self._state.containers.values() if each.function.app is app]
        busy = [each for each in containers if each.calls]
        for call in self._state.calls.values():
            if call.function.app is app:
                self.finish(call, Result(status=Result.GENERIC_STATUS_TERMINATED, exception="The app was stopped"))

        async def drain() -> None:
            ends = (
                self._containers.end(each, STOP_GRACE, signal.SIGINT if each in busy else None) for each in containers
            )
            await asyncio.gather(*ends)
            app.drained = True
            app.changed.notify()

        self.background(drain())

    def _ended(self, container: Container, code: int | None) -> None:
        function, asked_to_end = container.function, container.stopping
        container.stopping = container.ended = True
        self._state.containers.pop(container.id, None)
        function.containers.pop(container.id, None)
        lost = [call for call in container.calls.values() if not call.done]
        if container.preempted:
            function.crashes = 0
            for call in lost:
                _release(call)
                self.enqueue(call, front=True)
        elif lost or not (container.took_input or asked_to_end):
            self._crashed(container, code, lost)
        container.changed.notify()
        function.changed.notify()
        if function.pending and function.app.live:
            self.scale(self._state.functions.get(function.id, function))

    def _crashed(self, container: Container, code: int | None, lost: list[Call]) -> None:
        function = container.function
        function.crashes += 1
        worn_out = function.crashes >= CRASHES_BORNE
        text = f"Container {container.id} ended with exit code {code} before its input was done"
        failure = container.failure or Result(status=Result.GENERIC_STATUS_FAILURE, exception=text, exitcode=code or 0)
        for call in lost:
            if self.policy.crashes == "reschedule" and (function.app.deployed or not worn_out):
                _release(call)
                function.pending.appendleft(call)
            else:
                self.attempt_ended(call, failure)
        if worn_out and not container.took_input:  # it will not start: those who wait are told
            for call in list(function.pending):
                self.finish(call, failure)
        function.asleep = True
        delay = min(0.1 * 2 ** (function.crashes - 1), LONGEST_SLEEP)
        asyncio.get_running_loop().call_later(delay, self._wake, function)

    def _wake(self, function: Function) -> None:
        function.asleep = False
        if function.app.live:
            self.scale(self._state.functions.get(function.id, function))

    async def stop(self) -> None:
        """Kills all containers, with all that they started."""
        self._stopped = True
        await asyncio.gather(*(self._containers.end(each, grace=0) for each in list(self._state.containers.values())))
        await asyncio.gather(*self._running, return_exceptions=True)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


def _release(call: Call) -> None:
    if call.timer:
        call.timer.cancel()
    if call.container:
        call.container.calls.pop(call.input_id, None)
    call.container = call.timer = None
