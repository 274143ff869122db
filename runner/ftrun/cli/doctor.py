"""`ftrun doctor`: check what runs need from this machine and its accounts, and print how to fix each problem."""

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
from ftrun.api.doctor import CheckResult, DoctorCheck
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.utils.default_store import default_root
from ftrun.utils.sizes import human_size

DEFAULT_RECIPE = "recipe=quickstart"
LEAST_FREE = 2_000_000_000  # bytes; no model fits into less
STATES = {(True, True): "ok", (True, False): "ok", (False, True): "broken", (False, False): "absent"}


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.argument("overrides", nargs=-1)
def doctor(overrides: tuple[str, ...], as_json: bool) -> int:
    """Check Python, disks, the hub, GPUs, environments and accounts.

    Checks what the recipe of OVERRIDES needs, by default what `recipe=quickstart` needs. Each check takes a few seconds
    at most. Exits with 2 if something that the recipe needs is broken, else with 0.
    """
    recipe = load(_add_default_recipe(overrides), plugins()).recipe
    results = []
    for result in _run_checks([*_list_own_checks(), *_list_plugin_checks(recipe)]):
        results.append(result)
        if not as_json:
            print("\n".join(_format_result(result)), flush=True)
    if as_json:
        print(json.dumps([asdict(result) for result in results]))
    return 0 if all(result.well or not result.needed for result in results) else 2


def _add_default_recipe(overrides: Sequence[str]) -> list[str]:
    has_recipe = any(override.startswith("recipe=") for override in overrides)
    return [*(() if has_recipe else (DEFAULT_RECIPE,)), *overrides]


def _list_plugin_checks(recipe: Recipe) -> Iterator[DoctorCheck]:
    for checks in plugins().hook.ftrun_doctor_checks(recipe=recipe):
        yield from checks


def _list_own_checks() -> list[DoctorCheck]:
    return [
        DoctorCheck("ftrun", _check_versions),
        DoctorCheck("plugins", _check_plugins),
        DoctorCheck("store", partial(_check_disk, "store", default_root(), "FTRUN_STORE")),
        DoctorCheck("cache", partial(_check_disk, "cache", user_cache_path("ftrun"), "XDG_CACHE_HOME")),
    ]


def _check_versions() -> Iterator[CheckResult]:
    yield CheckResult(
        "ftrun", True, f"{__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    )


def _check_plugins() -> Iterator[CheckResult]:
    names = sorted({registered.distribution for registered in plugins().all()} - {"ftrun"})
    yield CheckResult("plugins", True, ", ".join(names) or "none besides ftrun's own")


def _check_disk(what: str, folder: Path, variable: str) -> Iterator[CheckResult]:
    """Check free space, and that a file can be written in the folder or, until it exists, in its nearest parent."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{folder}, {human_size(free)} free"
    if not _is_writable(existing):
        yield CheckResult(what, False, f"{detail}, but it cannot be written", hint=f"set {variable} to another folder")
    elif free < LEAST_FREE:
        yield CheckResult(
            what, False, detail, hint=f"run `ftrun rm --unused`, or set {variable} to a folder on another disk"
        )
    else:
        yield CheckResult(what, True, detail)


def _is_writable(folder: Path) -> bool:
    from tempfile import TemporaryFile

    try:
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _run_checks(checks: Iterable[DoctorCheck]) -> Iterator[CheckResult]:
    """Run all checks at the same time and yield their results in order.

    A check that does not end in time yields the results that it has so far, and is not waited for.
    """
    running = [(check, *_start_check(check)) for check in checks]
    began = time.monotonic()
    for check, thread, results in running:
        thread.join(max(0.0, check.seconds - (time.monotonic() - began)))
        yield from list(results)
        if thread.is_alive():
            late = f"no answer within {check.seconds:.0f} s"
            yield CheckResult(check.name, False, late, check.needed, hint="check the network, then try again")


def _start_check(check: DoctorCheck) -> tuple[threading.Thread, list[CheckResult]]:
    results: list[CheckResult] = []

    def run() -> None:
        try:
            for result in check.look():
                results.append(result)  # noqa: PERF402  (each result must be available at once)
        except Exception as error:  # a plugin's check may raise anything, and the other checks must go through
            results.append(CheckResult(check.name, False, f"{type(error).__name__}: {error}", check.needed))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


def _format_result(result: CheckResult) -> Iterator[str]:
    yield f"{STATES[result.well, result.needed]:<8} {result.what:<22} {result.detail}"
    if result.hint and not result.well:
        yield f"{'':<31} {result.hint}"
