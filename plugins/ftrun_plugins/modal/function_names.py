"""Names of the functions of an app: one for each stage and environment, and one for the scheduler."""

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
    """Function that runs a stage. `gpu` is an order of preference, which Modal sets for functions and not for calls."""

    name: str
    environment: str
    gpu: tuple[str, ...] = ()


def function_name(call: StageCall) -> str:
    """Return the name of the function that runs a call."""
    return _name(call.stage, call.environment.name, call.work.gpu if len(call.work.gpu) > 1 else ())


def _name(stage: str, environment: str, gpu: tuple[str, ...]) -> str:
    suffix = f"-{hashlib.sha256('/'.join(gpu).encode()).hexdigest()[:8]}" if gpu else ""
    return f"{stage}-{environment}{suffix}"


def stage_functions(plugins: Plugins, environments: Iterable[str], calls: Iterable[StageCall]) -> list[StageFunction]:
    """List the functions for any recipe in these environments, and those that these calls need in addition."""
    return sorted({*_default_functions(plugins, set(environments)), *_functions_of_calls(calls)})


def container_options(cpu: float | None, memory: float | None, regions: Sequence[str]) -> dict[str, Any]:
    """Return cores, memory in GB (Modal counts in MiB) and regions of a recipe as options of a Modal function."""
    options = {"cpu": cpu, "memory": int(memory * 1000) if memory else None, "region": list(regions) or None}
    return {name: value for name, value in options.items() if value is not None}


def _default_functions(plugins: Plugins, environments: set[str]) -> Iterator[StageFunction]:
    for registered in plugins.of_kind("stage").values():
        stage = registered.cls
        for environment in {stage.environment, *getattr(stage, "other_environments", ())} & environments:
            yield StageFunction(_name(stage.name, environment, ()), environment)


def _functions_of_calls(calls: Iterable[StageCall]) -> Iterator[StageFunction]:
    for call in calls:
        gpu = call.work.gpu if len(call.work.gpu) > 1 else ()
        yield StageFunction(_name(call.stage, call.environment.name, gpu), call.environment.name, gpu)
