"""Trains in one process a rank, on GPUs or, over gloo, on the CPU.

The ranks are started here and not by torchrun: they have to inherit the lock of the call's key, so that no second
trainer can start while one of them lives.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.context import Reporter, Stopped, StopRequest
from ftrun.api.errors import Problem, StageError
from ftrun.api.outcome import StageOutcome
from ftrun.utils import env_launcher

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

STOP = "stop"  # a file in the work folder: the user asked to stop
STOPPED = 75  # exit code of a rank that stopped because it was asked to
SECONDS_BETWEEN_LOOKS = 0.3


def train_in_ranks(processes: int, accelerator: str, context: StageContext) -> None:
    """Runs all ranks to their end. Raises `Stopped`, or `StageError` when one of them failed."""
    for left in (context.work / STOP, *(_outcome_file(context.work, rank) for rank in range(processes))):
        left.unlink(missing_ok=True)
    port = _free_port()
    ranks = [_start(rank, processes, accelerator, port, context) for rank in range(processes)]
    try:
        codes = _wait(ranks, context)
    finally:
        for process in ranks:
            process.kill()
            process.wait()
    if any(code == STOPPED for code in codes):
        raise Stopped
    failed = {rank: code for rank, code in enumerate(codes) if code}
    if failed:
        rank, code = next(iter(failed.items()))
        outcome = StageOutcome.read(_outcome_file(context.work, rank))
        if outcome is not None:
            raise outcome.error("train")
        raise StageError(
            "train",
            Problem(
                "process-ended", f"rank {rank} of {processes} ended with exit code {code}", hint="its log says why"
            ),
        )


def _start(rank: int, processes: int, accelerator: str, port: int, context: StageContext) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    if accelerator == "cpu":
        environment |= {
            "DS_ACCELERATOR": "cpu",
            "OMP_NUM_THREADS": str(max(1, len(os.sched_getaffinity(0)) // processes)),
        }
    command = [sys.executable, "-I", env_launcher.__file__, __name__, str(context.work), accelerator]
    lock = context.lock_descriptor
    return subprocess.Popen(
        [*command, context.report.call, str(context.report.events or "")],
        env=environment,
        cwd=context.work,
        pass_fds=() if lock is None else (lock,),
        # ranks hear of a wish to stop by a file, and end after a checkpoint; a signal to their group comes too early
        preexec_fn=_ignore_wishes,
    )


def _ignore_wishes() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(ranks: Sequence[subprocess.Popen[bytes]], context: StageContext) -> list[int]:
    """Exit codes of all ranks; the first that fails ends the wait, for the others would wait for it for ever."""
    while True:
        codes = [process.poll() for process in ranks]
        if all(code is not None for code in codes) or any(code for code in codes):
            return [code or 0 for code in codes]
        if context.stop:
            (context.work / STOP).touch()
        time.sleep(SECONDS_BETWEEN_LOOKS)


class StopFile(StopRequest):
    """The wish to stop, as ranks see it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def __bool__(self) -> bool:
        return self._path.exists()


def main() -> None:
    """One rank."""
    from ftrun_plugins.axolotl.train.worker import train_here

    work, accelerator, call, events = Path(sys.argv[1]), *sys.argv[2:]
    report = Reporter(call, Path(events) if events else None) if os.environ["RANK"] == "0" else None
    if accelerator == "cpu":
        _allow_cpu_ranks()
    try:
        train_here(work, report, StopFile(work / STOP))
    except Stopped:
        os._exit(STOPPED)  # DeepSpeed's own exit would wait for ranks that have gone
    except Exception as error:  # whatever the trainer raises has to become the stage's outcome
        traceback.print_exc()
        StageOutcome.failed(error, work).save(_outcome_file(work, int(os.environ["RANK"])))
        os._exit(1)


def _outcome_file(work: Path, rank: int) -> Path:
    """Where a rank that failed leaves its reason."""
    return work / f"rank-{rank}.json"


def _allow_cpu_ranks() -> None:
    """What axolotl 0.21 and accelerate 1.15 lack for several processes without a GPU."""
    import torch
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType
    from axolotl.loaders.model import ModelLoader

    torch.cuda.can_device_access_peer = lambda *_: False
    prepare, set_map = PartialState._prepare_backend, ModelLoader._set_device_map_config

    def prepare_backend(self: Any, *arguments: Any, **options: Any) -> Any:
        backend, kind = prepare(self, *arguments, **options)
        return (backend, kind) if backend else ("gloo", DistributedType.MULTI_CPU)

    def set_device_map(self: Any) -> None:
        set_map(self)
        self.model_kwargs["device_map"] = {"": "cpu"}

    PartialState._prepare_backend = prepare_backend
    ModelLoader._set_device_map_config = set_device_map
