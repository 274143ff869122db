"""Checks of `ftrun doctor` for runs on this machine: GPUs with their driver, and environments."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from platformdirs import user_cache_path

from ftrun.api.doctor import CheckResult, DoctorCheck
from ftrun.api.recipe import Environment, Recipe
from ftrun.api.stage_call import CLIENT
from ftrun.utils.sizes import human_size
from ftrun_plugins.local.environments import LocalEnvironment, find_python

OLDEST_DRIVER = 580  # that supports CUDA 13, which the locked torch and vLLM need
BYTES = 8_000_000_000  # of disk space to make one environment
ONLY_GPU = ("server",)  # environments that are useless without a GPU
SECONDS = 5.0


def checks(recipe: Recipe) -> list[DoctorCheck]:
    is_local = recipe.backend.name == "local"
    wanted = max((resources.gpus or 0 for resources in recipe.resources.values()), default=0) if is_local else 0
    return [
        DoctorCheck("GPU", lambda: _check_gpus(wanted), bool(wanted)),
        DoctorCheck("environments", lambda: _check_environments(recipe, is_local), is_local),
    ]


def _check_gpus(wanted: int) -> Iterator[CheckResult]:
    gpus = _list_gpus()
    if not gpus:
        hint = "resources.STAGE.gpu=0 to use the CPU, or backend=modal" if wanted else "stages run on the CPU"
        yield CheckResult("GPU", False, "nvidia-smi reports no GPU", bool(wanted), hint)
    for name, driver, memory in gpus:
        old = driver.partition(".")[0].isdigit() and int(driver.partition(".")[0]) < OLDEST_DRIVER
        update = f"update the driver to {OLDEST_DRIVER} or later"
        yield CheckResult("GPU", not old, f"{name}, {memory}, driver {driver}", hint=update)
    if 0 < len(gpus) < wanted:
        yield CheckResult(
            "GPU", False, f"{len(gpus)} of the {wanted} GPUs that the recipe requests", hint="resources.STAGE.gpu=…"
        )


def _list_gpus() -> list[tuple[str, str, str]]:
    """Return name, driver and memory of each GPU."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = [tuple(part.strip() for part in line.split(",")) for line in result.stdout.splitlines()]
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3] if result.returncode == 0 else []


def _check_environments(recipe: Recipe, needed: bool) -> Iterator[CheckResult]:
    has_gpu = bool(_list_gpus())
    for name, declared in recipe.environment.items():
        if name != CLIENT and (has_gpu or name not in ONLY_GPU):
            yield _check_environment(name, declared, needed)


def _check_environment(name: str, declared: Environment, needed: bool) -> CheckResult:
    what, environment = f"environment {name}", LocalEnvironment(name, declared)
    if environment.ready:
        return CheckResult(what, True, str(environment.python))
    folder = user_cache_path("ftrun")
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    if free < BYTES:
        detail = f"not made yet, and {human_size(free)} of free space in {folder} are not enough"
        return CheckResult(
            what, False, detail, needed, "free disk space, or set XDG_CACHE_HOME to a folder on another disk"
        )
    python = find_python(declared.python)
    source = f"with {python}" if python != declared.python else f"with Python {python}, which uv downloads"
    return CheckResult(
        what, False, f"not made yet; the first run that needs it makes it {source}", False, f"ftrun envs make {name}"
    )
