"""Containers: processes of this machine, each in a session and a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from modal_proto import api_pb2 as pb

from .logs import write_log
from .preparing import Preparing, Start
from .server import Endpoint, RpcServer
from .state import Container, Function
from .watchdog import kill_marked

LINE = 1 << 20  # bytes of one line of a log


class Containers:
    """Runs the processes of containers, and ends them."""

    def __init__(
        self, folder: Path, run: Path, preparing: Preparing, endpoint: Callable[[Container], Endpoint]
    ) -> None:
        self._folder, self._run, self._preparing, self._endpoint = folder, run, preparing, endpoint

    def new(self, container_id: str, function: Function) -> Container:
        return Container(container_id, function, self._folder / container_id, self._run / container_id)

    async def run(self, container: Container) -> int | None:
        """From the first file to the last process: the exit code, or nothing if it was not wanted any more."""
        server = RpcServer(self._endpoint(container))
        try:
            start = await asyncio.to_thread(self._preparing.prepare, container)
            await server.start(path=str(container.socket))
            return None if container.stopping else await self._run_process(container, start)
        finally:
            await server.end()
            for folder in (container.folder, container.run):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _run_process(self, container: Container, start: Start) -> int:
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        try:
            process = container.process = await asyncio.create_subprocess_exec(
                *start.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out_end,
                stderr=err_end,
                start_new_session=True,
                env=start.environment,
                cwd=start.cwd,
            )
        finally:
            os.close(out_end)
            os.close(err_end)
        if container.stopping:  # asked to end while it was being started
            process.kill()
        write_log(container, "", state=pb.TASK_STATE_ACTIVE)
        pumps = asyncio.gather(
            _pump(container, out, pb.FILE_DESCRIPTOR_STDOUT), _pump(container, err, pb.FILE_DESCRIPTOR_STDERR)
        )
        code = await process.wait()
        with contextlib.suppress(ProcessLookupError):  # nothing outlives the first process
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(kill_marked, str(container.arguments))
        await pumps
        ended = pb.TASK_STATE_PREEMPTED if container.preempted else pb.TASK_STATE_COMPLETED
        write_log(container, "", state=ended)
        return code

    async def end(self, container: Container, grace: float, asked: signal.Signals | None = None) -> None:
        """Asks it to end, by a signal or when it next asks for work, and kills it after the grace time."""
        container.stopping = True
        container.function.changed.notify()
        process = container.process
        if process is None or process.returncode is not None:
            return
        if container.function.definition.is_server:
            asked = signal.SIGTERM
        try:
            if grace > 0:
                if asked:
                    process.send_signal(asked)
                await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            pass
        except ProcessLookupError:
            return
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _pump(container: Container, descriptor: int, source: pb.FileDescriptor.ValueType) -> None:
    reader = asyncio.StreamReader(limit=LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    try:
        while True:
            try:
                line = await reader.readuntil()
            except asyncio.IncompleteReadError as end:
                line = end.partial
            except asyncio.LimitOverrunError as overrun:
                line = await reader.readexactly(overrun.consumed)
            if not line:
                return
            write_log(container, line.decode("utf-8", "replace"), source)
    finally:
        transport.close()
