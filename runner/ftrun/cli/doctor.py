"""`ftrun doctor`: looks at what runs need of this machine and its accounts, and says what to do about each."""

from __future__ import annotations

import json
import platform
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from platformdirs import user_cache_path

from ftrun import __version__
from ftrun.api.backends import CheckResult, DoctorCheck
from ftrun.api.paths import default_store
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.utils.sizes import human_size

DEFAULT_RECIPE = "recipe=quickstart"
LEAST_FREE = 2_000_000_000  # bytes: less holds no model at all
STATES = {(True, True): "ok", (True, False): "ok", (False, True): "broken", (False, False): "absent"}


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.argument("overrides", nargs=-1)
def doctor(overrides: tuple[str, ...], as_json: bool) -> int:
    """Looks at Python, disks, the hub, GPUs, environments and accounts, each within seconds.

    With OVERRIDES it looks at what that recipe needs, else at what `recipe=quickstart` does. Ends with 0 unless
    something that is needed is broken.
    """
    recipe = load(_with_recipe(overrides), plugins()).recipe
    found = []
    for health in _examined([*_own(), *_of_plugins(recipe)]):
        found.append(health)
        if not as_json:
            print("\n".join(_lines(health)), flush=True)
    if as_json:
        print(json.dumps([asdict(health) for health in found]))
    return 0 if all(health.well or not health.needed for health in found) else 2


def _with_recipe(overrides: Sequence[str]) -> list[str]:
    named = any(override.startswith("recipe=") for override in overrides)
    return [*(() if named else (DEFAULT_RECIPE,)), *overrides]


def _of_plugins(recipe: Recipe) -> Iterator[DoctorCheck]:
    for checks in plugins().hook.ftrun_doctor_checks(recipe=recipe):
        yield from checks


def _own() -> list[DoctorCheck]:
    return [
        DoctorCheck("ftrun", _versions),
        DoctorCheck("plugins", _other_packages),
        DoctorCheck("store", partial(_disk, "store", default_store().root, "FTRUN_STORE")),
        DoctorCheck("cache", partial(_disk, "cache", user_cache_path("ftrun"), "XDG_CACHE_HOME")),
    ]


def _versions() -> Iterator[CheckResult]:
    yield CheckResult(
        "ftrun", True, f"{__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    )


def _other_packages() -> Iterator[CheckResult]:
    names = sorted({one.distribution for one in plugins().all()} - {"ftrun"})
    yield CheckResult("plugins", True, ", ".join(names) or "none beside ftrun's own")


def _disk(what: str, folder: Path, variable: str) -> Iterator[CheckResult]:
    """Free space, and whether a file can be written where the folder is or would be."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    detail = f"{folder}, {human_size(free)} free"
    if not _writable(there):
        yield CheckResult(what, False, f"{detail}, but it cannot be written", hint=f"name another folder in {variable}")
    elif free < LEAST_FREE:
        yield CheckResult(
            what, False, detail, hint=f"`ftrun rm --unused`, or name a folder on another disk in {variable}"
        )
    else:
        yield CheckResult(what, True, detail)


def _writable(folder: Path) -> bool:
    from tempfile import TemporaryFile

    try:
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _examined(checks: Iterable[DoctorCheck]) -> Iterator[CheckResult]:
    """All at one time, told in order; one that does not answer in time is left behind with what it has found."""
    running = [(check, *_begun(check)) for check in checks]
    began = time.monotonic()
    for check, thread, found in running:
        thread.join(max(0.0, check.seconds - (time.monotonic() - began)))
        yield from list(found)
        if thread.is_alive():
            late = f"no answer within {check.seconds:.0f} s"
            yield CheckResult(check.name, False, late, check.needed, hint="check the network, then try again")


def _begun(check: DoctorCheck) -> tuple[threading.Thread, list[CheckResult]]:
    found: list[CheckResult] = []

    def look() -> None:
        try:
            for health in check.look():
                found.append(health)  # noqa: PERF402  (each is there as soon as it is found)
        except Exception as error:  # a check of a plugin may fail in any way, and the others still count
            found.append(CheckResult(check.name, False, f"{type(error).__name__}: {error}", check.needed))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    return thread, found


def _lines(health: CheckResult) -> Iterator[str]:
    yield f"{STATES[health.well, health.needed]:<8} {health.what:<22} {health.detail}"
    if health.hint and not health.well:
        yield f"{'':<31} {health.hint}"
