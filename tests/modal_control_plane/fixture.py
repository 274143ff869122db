"""`ControlPlane`: the control plane in a thread of its own, with what tests ask of it."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web
from grpclib import Status

from . import watchdog
from .assembly import Parts
from .gateway import serve_http
from .interpreters import Interpreters
from .recording import Recording
from .reports import Asked, CallInfo, ContainerInfo, call_info, container_info
from .scheduling import Policy
from .server import Endpoint, RpcServer
from .state import Container

__all__ = ["Asked", "CallInfo", "ContainerInfo", "ControlPlane", "Policy"]

T = TypeVar("T")
STARTING = 30.0  # seconds


class ControlPlane:
    """A control plane on loopback. `with ControlPlane(folder) as plane:` or `start()` and `stop()`."""

    def __init__(
        self,
        state: Path,
        interpreters: Mapping[str, Path] | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        policy: Policy | None = None,
    ) -> None:
        """`interpreters` are those of environments, `environment` holds further variables for all containers."""
        self.folder = state.resolve()
        self.secrets: dict[str, Mapping[str, str]] = dict(secrets or {})
        self._interpreters, self._extra = Interpreters(interpreters or {}), dict(environment or {})
        self._policy = policy or Policy()
        self._token, self._proxy_token = ("ak-loopback", f"as-{_token()}"), ("wk-loopback", f"ws-{_token()}")
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="modal control plane", daemon=True)

    # Its life

    def start(self) -> ControlPlane:
        self._thread.start()
        self._started.wait(STARTING)
        if self._failure:
            raise self._failure
        return self

    def stop(self) -> None:
        """Kills all containers."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def __enter__(self) -> ControlPlane:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        run = Path(tempfile.mkdtemp(prefix="ftrun-modal-"))
        command = [sys.executable, "-I", "-S", watchdog.__file__, f"{run}/"]
        dog = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        try:
            asyncio.run(self._serve(run))
        except BaseException as error:
            self._failure = error
        finally:
            dog.communicate()  # its input ends, so it kills what is left, and removes the folder
            self._started.set()

    async def _serve(self, run: Path) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        parts = self._parts = Parts(
            self.folder,
            run,
            self._interpreters,
            self.secrets,
            self._extra,
            self._policy,
            self._token,
            self._proxy_token,
        )
        http = web.Application(client_max_size=1 << 40)
        http.add_routes(parts.content.routes())
        runner, parts.content.address = await serve_http(http)
        server = RpcServer(Endpoint(parts.dispatcher))
        await server.start("127.0.0.1", 0)
        self._address = server.address
        parts.scheduler.background(parts.apps.watch())
        self._started.set()
        await self._stopping.wait()
        await parts.scheduler.stop()
        await server.end()
        await parts.gateways.close()
        await runner.cleanup()
        parts.recording.close()

    # What clients need

    @property
    def client_environment(self) -> dict[str, str]:
        """Variables of a client process; other MODAL_ variables should be taken out of its environment."""
        return {
            "MODAL_SERVER_URL": self._address,
            "MODAL_TOKEN_ID": self._token[0],
            "MODAL_TOKEN_SECRET": self._token[1],
            "MODAL_CONFIG_PATH": str(self.folder / "no-such-file.toml"),
            "MODAL_ENVIRONMENT": "main",
            "MODAL_DISABLE_API_PROXY": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    @property
    def proxy_headers(self) -> dict[str, str]:
        """What a request to a protected web server has to carry."""
        return {"Modal-Key": self._proxy_token[0], "Modal-Secret": self._proxy_token[1]}

    # What is going on

    @property
    def requests(self) -> Recording:
        return self._parts.recording

    @property
    def rpc_counts(self) -> dict[str, int]:
        return dict(self._parts.dispatcher.counts)

    @property
    def unknown_rpcs(self) -> dict[str, int]:
        """RPCs that were asked for and are not offered."""
        return dict(self._parts.dispatcher.unknown)

    @property
    def errors(self) -> list[str]:
        """Mistakes of the control plane itself."""
        return list(self._parts.dispatcher.errors)

    @property
    def build_logs(self) -> dict[str, str]:
        """What failed image builds printed, by image id."""
        return dict(self._parts.images.build_logs)

    def containers(self, function: str | None = None) -> list[ContainerInfo]:
        return [container_info(each, self._parts.volumes) for each in self._running(function) if each.process]

    def calls(self, function: str | None = None) -> list[CallInfo]:
        calls = list(self._parts.state.calls.values())
        return [call_info(call, self._parts.volumes) for call in calls if function in (None, call.function.name)]

    def volume_folder(self, name: str) -> Path:
        """What is committed of a volume."""
        return self._parts.volumes.named(name).folder

    def wait_for(self, condition: Callable[[], T], seconds: float = 20.0) -> T:
        """What `condition` returns once that is true."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s; containers {self.containers()}, calls {self.calls()}")
            time.sleep(0.02)
        return found

    # What is done to it

    def preempt(self, function: str | None = None, grace: float = 30.0) -> list[str]:
        """Takes the machines of containers that have work away; returns their ids once they are gone."""
        return self._to_each(function, lambda container: self._parts.scheduler.preempt(container, grace))

    def kill(self, function: str | None = None) -> list[str]:
        """SIGKILL for containers that have work: a crash."""
        return self._to_each(function, self._parts.scheduler.kill)

    def fail(self, rpc: str, status: str = "UNAVAILABLE", count: int = 1) -> None:
        """The next so many requests of an RPC are answered with an error and not carried out."""
        self._parts.dispatcher.faults.by_rpc[rpc] = (Status[status], count)

    def lose_answer(self, rpc: str) -> None:
        """The next request of an RPC is carried out, and answered as if the connection had been lost."""
        self._parts.dispatcher.faults.lost.add(rpc)

    def fail_for(self, seconds: float) -> None:
        """Everything is UNAVAILABLE for a while; returns once that has begun."""
        faults, begun = self._parts.dispatcher.faults, threading.Event()

        def begin() -> None:
            self._parts.scheduler.background(faults.fail_for(seconds))
            self._loop.call_soon(begun.set)

        self._loop.call_soon_threadsafe(begin)
        begun.wait()

    def expire(self, call_id: str) -> None:
        """The output of a call that is done is not kept any more, as after seven days on Modal."""
        self._parts.state.calls[call_id].expired = True

    def fail_commit(self, volume: str, count: int = 1) -> None:
        """The next so many commits of a volume fail."""
        self._parts.volumes.named(volume).failing = count

    def _to_each(self, function: str | None, deed: Callable[[Container], Coroutine[Any, Any, None]]) -> list[str]:
        async def do() -> list[str]:
            hit = [container for container in self._running(function) if container.calls]
            await asyncio.gather(*(deed(container) for container in hit))
            for container in hit:
                while not container.ended:
                    await container.changed.until(lambda: False, 0.05)
            return [container.id for container in hit]

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result()

    def _running(self, function: str | None) -> list[Container]:
        return [each for each in list(self._parts.state.containers.values()) if function in (None, each.function.name)]


def _token() -> str:
    return secrets.token_hex(8)
