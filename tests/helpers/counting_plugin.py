"""Writes a third party's package: a stage that takes its time and resumes, and a formatter of its own.

`ftrun_counting` has all that a trainer has but torch: checkpoints with marks, progress, a wish to stop that is heard.
So what happens to a long stage can be tried in seconds.
"""

from __future__ import annotations

from pathlib import Path

from helpers.installed_package import write_package

TOLD = "FTRUN_COUNTING_TOLD"  # names a file that gets a line for each hook

# A long stage after a short one, of rows in `rows.jsonl`.
RECIPE = """\
defaults:
  - override /dataset: jsonl_chat
  - override /backend: modal
model:
  base_model: nobody/nothing
  revision: 0123456789012345678901234567890123456789
dataset:
  source: {path: rows.jsonl}
  split: {held_out: 0.2}
  formatter: {name: shout}
  ignore_columns: [schema]
train: {max_steps: 30, save_steps: 5, learning_rate: 0.1, sequence_len: 64}
stages: [format, counting]
"""

PLUGIN = """
import os

from ftrun import hookimpl
from ftrun_counting.parts import Counting, Shout


@hookimpl
def ftrun_register_stages(register):
    register(Counting)


@hookimpl
def ftrun_register_formatters(register):
    register(Shout)


@hookimpl
def ftrun_stage_finished(run_id, call, cached):
    _tell(f"{call} {cached}")


@hookimpl
def ftrun_run_finished(run_id, status):
    _tell(status)


def _tell(text):
    if "FTRUN_COUNTING_TOLD" in os.environ:
        with open(os.environ["FTRUN_COUNTING_TOLD"], "a") as file:
            file.write(text + chr(10))
"""

PARTS = '''
import json
import time
from typing import ClassVar

from ftrun.api.checkpoints import mark
from ftrun.api.errors import Problem, InvalidInput
from ftrun.api.rows import Chat, FormatterOptions, Rejected
from ftrun.api.planner import CallRequest
from ftrun.api.recipe import Frozen


class Shout:
    """A question and its answer, loud."""

    name: ClassVar[str] = "shout"

    class Options(FormatterOptions):
        pass

    def format(self, row, options):
        question, answer = (row.values["messages"][index]["content"] for index in (-2, -1))
        return Chat([{"role": "user", "content": question.upper()}, {"role": "assistant", "content": answer}])


class Params(Frozen):
    steps: int
    every: int
    pause: float
    fails: bool
    crashes_once: bool
    crashes: bool


class Counting:
    """Counts to `train.max_steps`, with a checkpoint at each `train.save_steps`."""

    name: ClassVar[str] = "counting"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "client"
    resumable: ClassVar[tuple[str, ...]] = ("out/checkpoint-*/", "tried")

    def plan(self, recipe, planner):
        data = planner.find("format")
        params = Params(
            steps=recipe.train["max_steps"],
            every=recipe.train["save_steps"],
            pause=recipe.train["learning_rate"],
            fails=recipe.train.get("seed") == 13,
            crashes_once=recipe.train.get("seed") == 14,
            crashes=recipe.train.get("seed") == 15,
        )
        return [planner.call(self, CallRequest(params, inputs={"data": data}))]

    def run(self, call, context):
        params = Params.model_validate(call.params)
        if params.fails:
            raise InvalidInput(Problem("bad-row", "row 3 is bad", "rows.jsonl:3", hint="fix it"))
        out = context.work / "out"
        marks = sorted(out.glob("checkpoint-*/complete"), key=lambda mark: int(mark.parent.name[11:]))
        counted = json.loads((marks[-1].parent / "state.json").read_text()) if marks else []
        if counted:
            context.report.event("resumed", step=len(counted))
        tried = context.work / "tried"
        first = not tried.exists()
        tried.touch()
        while len(counted) < params.steps:
            counted.append(len(counted) + 1)
            time.sleep(params.pause)
            context.report.progress(len(counted), params.steps, "steps", loss=1.0 / len(counted))
            stopping = bool(context.stop)
            if len(counted) % params.every == 0 or stopping:
                folder = out / f"checkpoint-{len(counted)}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "state.json").write_text(json.dumps(counted))
                mark(folder)
                context.report.event("checkpoint", step=len(counted))
            context.check_stop()
            if params.crashes or (params.crashes_once and first and len(counted) > params.every):
                import os

                os.kill(os.getppid(), 9)  # the container, not only the stage
                time.sleep(60)
        (context.output / "counted.json").write_text(json.dumps(counted))
        context.report.metric(counted=len(counted))
'''


def write_counting_plugin(folder: Path) -> Path:
    """Makes `folder` one that can be put on `PYTHONPATH`: the package with its metadata, as if it were installed."""
    return write_package(folder, "ftrun-counting", {"plugin": PLUGIN, "parts": PARTS}, entry="counting")
