"""What `ftrun doctor` looks at for runs of this machine: GPUs with their driver, environments."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from platformdirs import user_cache_path

from ftrun.api.backends import CheckResult, DoctorCheck
from ftrun.api.recipe import Environment, Recipe
from ftrun.api.stage_call import CLIENT
from ftrun.utils.sizes import human_size
from ftrun_plugins.local.environments import LocalEnvironment, interpreter

OLDEST_DRIVER = 580  # that runs CUDA 13, for which torch and vLLM of the locks are built
BYTES = 8_000_000_000  # of one environment, while it is made
ONLY_GPU = ("server",)  # environments that are of no use without one
SECONDS = 5.0


def checks(recipe: Recipe) -> list[DoctorCheck]:
    here = recipe.backend.name == "local"
    wanted = max((resources.gpus or 0 for resources in recipe.resources.values()), default=0) if here else 0
    return [
        DoctorCheck("GPU", lambda: _gpus(wanted), bool(wanted)),
        DoctorCheck("environments", lambda: _environments(recipe, here), here),
    ]


def _gpus(wanted: int) -> Iterator[CheckResult]:
    found = _listed()
    if not found:
        do = "ask for fewer: resources.STAGE.gpu=0, or backend=modal" if wanted else "stages run on the CPU"
        yield CheckResult("GPU", False, "none that nvidia-smi knows", bool(wanted), do)
    for name, driver, memory in found:
        old = driver.partition(".")[0].isdigit() and int(driver.partition(".")[0]) < OLDEST_DRIVER
        update = f"update the driver to {OLDEST_DRIVER} or later"
        yield CheckResult("GPU", not old, f"{name}, {memory}, driver {driver}", hint=update)
    if 0 < len(found) < wanted:
        yield CheckResult(
            "GPU", False, f"{len(found)} of the {wanted} that the recipe asks for", hint="resources.STAGE.gpu=…"
        )


def _listed() -> list[tuple[str, str, str]]:
    """Name, driver and memory of each GPU."""
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


def _environments(recipe: Recipe, needed: bool) -> Iterator[CheckResult]:
    has_gpu = bool(_listed())
    declared = {name: one for name, one in recipe.environment.items() if name != CLIENT}
    for name, one in declared.items():
        if has_gpu or name not in ONLY_GPU:
            yield _environment(name, one, needed)


def _environment(name: str, declared: Environment, needed: bool) -> CheckResult:
    what, environment = f"environment {name}", LocalEnvironment(name, declared)
    if environment.ready:
        return CheckResult(what, True, str(environment.python))
    folder = user_cache_path("ftrun")
    free = shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.exists())).free
    if free < BYTES:
        detail = f"not made, and {human_size(free)} free in {folder} hold none"
        return CheckResult(
            what, False, detail, needed, "free space, or name a folder on another disk in XDG_CACHE_HOME"
        )
    python = interpreter(declared.python)
    whence = f"by {python}" if python != declared.python else f"by Python {python}, which uv downloads"
    return CheckResult(
        what, False, f"not made yet; the first run that needs it makes it {whence}", False, f"ftrun envs make {name}"
    )
