from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import EnvironmentRef, Ref, ResourceRequest, StageCall
from ftrun.store import runs

Calls = Callable[..., StageCall]
Runs = Callable[[], RunFolder]

# A stage that does what its parameters say; in a module of its own, for it runs in another process.
STAGE = """
import errno, json, os, signal, subprocess, sys, time
from pathlib import Path

from pydantic import BaseModel

from ftrun.api.errors import Problem, InvalidInput


class Tiny:
    name = "tiny"
    resumable = ("tries",)
    known_errors = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def run(self, call, context):
        tries = context.work / "tries"
        with tries.open("a") as file:
            file.write("x")
        (context.output / f"left by try {tries.stat().st_size}").touch()
        getattr(self, call.params["do"])(call, context, tries.stat().st_size)

    def publish(self, call, context, tries):
        print("a line for the log")
        (context.output / "inner").mkdir()
        (context.output / "inner" / "x.txt").write_text("made")
        context.report.metric(rows=3)
        context.report.gate("good", call.params.get("met", True), "0.5 of at least 0.6")

    def copy(self, call, context, tries):
        (context.output / "copy.txt").write_text((context.inputs["data"] / "inner" / "x.txt").read_text())

    def read(self, call, context, tries):
        path = context.file(call.params["digest"])
        (context.output / "copy.txt").write_text(path.read_text())
        if call.params["changes"]:
            path.write_text("changed while it was read")

    def refuse(self, call, context, tries):
        bad = Problem("bad-row", "row is bad", "rows.jsonl:3", "a good row", ("goood",), "fix it")
        raise InvalidInput([bad, Problem("another", "more")])

    def fail(self, call, context, tries):
        raise ValueError("boom\\nand more")

    def die_while_hashed(self, call, context, tries):
        self.publish(call, context, tries)
        if tries == 1:
            from ftrun.execution import stage_entrypoint

            stage_entrypoint.describe = lambda *values: os.kill(os.getpid(), signal.SIGKILL)

    def leak(self, call, context, tries):
        secret = os.environ["MY_OWN"]
        context.report.metric(seen=secret)
        context.report.warning(f"the key is {secret}")
        print(f"one {secret}", flush=True)
        subprocess.run(["/bin/sh", "-c", 'printf "two %s" "$MY_OWN"'], check=True)
        if call.params.get("dies"):
            os.kill(os.getpid(), signal.SIGKILL)
        if call.params.get("fails"):
            raise ValueError(f"401 for {secret}")

    def exceed(self, call, context, tries):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    def reject(self, call, context, tries):
        class Model(BaseModel):
            lora_r: int

        Model.model_validate({"lora_r": "eight"})

    def lose(self, call, context, tries):
        print("[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1, OpType=ALLREDUCE)", flush=True)
        os.abort()

    def fill(self, call, context, tries):
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill_and_die(self, call, context, tries):
        print("RuntimeError: write failed: No space left on device (os error 28)", flush=True)
        os._exit(1)

    def fill_with_leftovers(self, call, context, tries):
        (context.output / "half").write_text("half an artifact")
        (context.work / "checkpoint").write_text("half a checkpoint")
        raise OSError(errno.ENOSPC, "No space left on device")

    def leave(self, call, context, tries):
        os._exit(3)

    def kill(self, call, context, tries):
        if tries == 1:
            (context.output / "half").write_text("half an artif")
            (context.work / "prepared").mkdir()
            (context.work / "prepared" / "half").write_text("half of the ro")
            os.kill(os.getpid(), signal.SIGKILL)
        assert [path.name for path in context.work.iterdir()] == ["tries"]
        self.publish(call, context, tries)

    def environment(self, call, context, tries):
        (context.output / "environment.json").write_text(json.dumps(dict(os.environ)))

    def state(self, call, context, tries):
        import random

        found = {"modules": sorted(sys.modules), "parent": os.getppid(), "random": random.random(), "cwd": os.getcwd()}
        (context.output / "state.json").write_text(json.dumps(found))

    def stop_well(self, call, context, tries):
        context.report.event("ready")
        while True:
            context.check_stop()
            signal.sigtimedwait([], 0.01)

    def stop_never(self, call, context, tries):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        context.report.event("ready")
        while True:
            signal.sigtimedwait([], 10)

    def count(self, call, context, tries):
        with open(call.params["count"], "a") as file:
            file.write("x")
        context.report.event("ready")
        while not os.path.exists(call.params["go"]):
            signal.sigtimedwait([], 0.01)
"""


@pytest.fixture
def stage_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module with the stage `Tiny`, importable here and by stage processes."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "tiny_stage.py").write_text(STAGE)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    yield "tiny_stage"
    sys.modules.pop("tiny_stage", None)


@pytest.fixture
def tiny(stage_module: str) -> Calls:
    """Makes calls of the tiny stage."""

    def call(do: str, label: str = "tiny", inputs: dict[str, Ref] | None = None, **more: Any) -> StageCall:
        fields = {name: more.pop(name) for name in ("work", "secrets", "files") if name in more}
        fields["work"] = fields.get("work", ResourceRequest()).model_copy(update={"preloaded": True})
        return StageCall(
            stage="tiny",
            version=1,
            params={"do": do, **more},
            inputs=inputs or {},
            environment=EnvironmentRef(name="client"),
            label=label,
            implementation=f"{stage_module}:Tiny",
            **fields,
        )

    return call


@pytest.fixture
def new_run(store: Store) -> Runs:
    """Makes folders of new runs."""
    return lambda: runs.create(store, "mine", (), {}, {}, "local")
