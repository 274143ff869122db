"""Training in several processes, one per rank, on GPUs, or on the CPU with gloo.

This module starts the ranks itself, not with torchrun, because each rank must inherit the lock of the call's key. The
lock prevents a second trainer while any rank is alive.
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
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ftrun.api.context import Reporter, Stopped, StopRequest
from ftrun.api.errors import Problem, StageError
from ftrun.api.known_errors import FailedCall
from ftrun.api.outcome import StageOutcome
from ftrun.utils import env_launcher
from ftrun.utils.process_exit import describe_exit
from ftrun_plugins.axolotl.workspace import CONFIG
from ftrun_plugins.known_errors import KNOWN_ERRORS

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

STOP_FILE = "stop"  # file in the work folder that requests a stop
STOPPED_EXIT_CODE = 75  # exit code of a rank that stopped on request
POLL_SECONDS = 0.3


def train_in_ranks(processes: int, accelerator: str, context: StageContext) -> None:
    """Run all ranks to their end.

    Raises:
        Stopped: If a rank stopped on request.
        StageError: If a rank failed.
    """
    port = _find_free_port()
    ranks = [_start_rank(rank, processes, accelerator, port, context) for rank in range(processes)]
    try:
        codes = _wait_for_ranks(ranks, context)
    finally:
        for process in ranks:
            process.kill()
            process.wait()
    if any(code == STOPPED_EXIT_CODE for code in codes):
        raise Stopped
    failed = {rank: code for rank, code in enumerate(codes) if code}
    if failed:
        rank, code = next(iter(failed.items()))
        outcome = StageOutcome.read(_get_outcome_file(context.work, rank))
        if outcome is not None:
            raise outcome.error("train")
        raise StageError(
            "train",
            Problem("process-ended", f"rank {rank} of {processes} {describe_exit(code)}", hint="see its log"),
        )


def _start_rank(
    rank: int, processes: int, accelerator: str, port: int, context: StageContext
) -> subprocess.Popen[bytes]:
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
        # a rank stops by the stop file, after a checkpoint; a signal to the process group would end it too early
        preexec_fn=_ignore_stop_signals,
    )


def _ignore_stop_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for_ranks(ranks: Sequence[subprocess.Popen[bytes]], context: StageContext) -> list[int]:
    """Return the exit codes of all ranks.

    The wait ends at the first failure, because the other ranks would wait forever for the failed rank.
    """
    while True:
        codes = [process.poll() for process in ranks]
        if all(code is not None for code in codes) or any(code for code in codes):
            return [code or 0 for code in codes]
        if context.stop:
            (context.work / STOP_FILE).touch()
        time.sleep(POLL_SECONDS)


class StopFile(StopRequest):
    """Stop request that ranks read from a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def __bool__(self) -> bool:
        return self._path.exists()


def main() -> None:
    """Run one rank."""
    from ftrun_plugins.axolotl.train.process import train_in_process

    work, accelerator, call, events = Path(sys.argv[1]), *sys.argv[2:]
    report = Reporter(call, Path(events) if events else None) if os.environ["RANK"] == "0" else None
    if accelerator == "cpu":
        _patch_cpu_support()
    try:
        train_in_process(work, report, StopFile(work / STOP_FILE))
    except Stopped:
        os._exit(STOPPED_EXIT_CODE)  # a normal exit of DeepSpeed waits for ranks that have already ended
    except Exception as error:  # any exception of the trainer must become the stage's outcome
        traceback.print_exc()
        outcome = StageOutcome.failed(error, work, KNOWN_ERRORS, _describe_call(work, accelerator))
        with suppress(OSError):  # the disk is full; the log has the reason
            outcome.save(_get_outcome_file(work, int(os.environ["RANK"])))
        os._exit(1)


def _describe_call(work: Path, accelerator: str) -> FailedCall:
    """Return the parameters of the call for hints. A rank has only the configuration of the trainer."""
    config = yaml.safe_load((work / CONFIG).read_text(encoding="utf-8"))
    processes = int(os.environ["WORLD_SIZE"])
    return FailedCall("train", {"trainer": config, "accelerator": accelerator, "processes": processes})


def _get_outcome_file(work: Path, rank: int) -> Path:
    """Return the file in which a failed rank saves its outcome."""
    return work / f"rank-{rank}.json"


def _patch_cpu_support() -> None:
    """Patch axolotl 0.21 and accelerate 1.15, which do not support several processes without a GPU."""
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
