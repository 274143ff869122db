"""The functions of an app: one a stage and environment, one for the scheduler; their names say which."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.stage_call import StageCall
from ftrun.plugins.manager import Plugins

LAUNCH = "launch"


@dataclass(frozen=True, order=True)
class StageFunction:
    """A function that runs a stage; `gpu` holds an order of preference, which only a function can have."""

    name: str
    environment: str
    gpu: tuple[str, ...] = ()


def function_name(call: StageCall) -> str:
    """The function that runs a call."""
    return _name(call.stage, call.environment.name, call.work.gpu if len(call.work.gpu) > 1 else ())


def _name(stage: str, environment: str, gpu: tuple[str, ...]) -> str:
    kinds = f"-{hashlib.sha256('/'.join(gpu).encode()).hexdigest()[:8]}" if gpu else ""
    return f"{stage}-{environment}{kinds}"


def stage_functions(plugins: Plugins, environments: Iterable[str], calls: Iterable[StageCall]) -> list[StageFunction]:
    """What any recipe may call in these environments, and what these calls need beyond that."""
    return sorted({*_usual(plugins, set(environments)), *_needed(calls)})


def container_options(cpu: float | None, memory: float | None, regions: Sequence[str]) -> dict[str, Any]:
    """What a recipe says of containers, as options of a Modal function: cores, GB (Modal counts in MiB), regions."""
    found = {"cpu": cpu, "memory": int(memory * 1000) if memory else None, "region": list(regions) or None}
    return {name: value for name, value in found.items() if value is not None}


def _usual(plugins: Plugins, environments: set[str]) -> Iterator[StageFunction]:
    for registered in plugins.of_kind("stage").values():
        stage = registered.cls
        for environment in {stage.environment, *getattr(stage, "other_environments", ())} & environments:
            yield StageFunction(_name(stage.name, environment, ()), environment)


def _needed(calls: Iterable[StageCall]) -> Iterator[StageFunction]:
    for call in calls:
        gpu = call.work.gpu if len(call.work.gpu) > 1 else ()
        yield StageFunction(_name(call.stage, call.environment.name, gpu), call.environment.name, gpu)
