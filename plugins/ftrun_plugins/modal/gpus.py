"""GPUs by the names that Modal gives them, and how many of each one container can have."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe, Resources
from ftrun.recipe.yaml_files import KeyPath
from ftrun.utils.suggest import nearest

# modal 1.6.4; `H100!` is never upgraded to an H200, `B200+` may be.
MOST: dict[str, int] = {
    "T4": 8,
    "L4": 8,
    "A10": 4,
    "L40S": 8,
    "A100-40GB": 8,
    "A100-80GB": 8,
    "RTX-PRO-6000": 8,
    "H100": 8,
    "H100!": 8,
    "H200": 8,
    "B200": 8,
    "B200+": 8,
    "B300": 8,
}
LONGEST = 24 * 3600  # seconds that a function may run


def choices(gpu: str | int | list[str] | None) -> list[tuple[str, int]]:
    """Names and counts in order of preference: `"H100:2"` is `[("H100", 2)]`; empty where no GPU is asked for."""
    if not gpu or isinstance(gpu, int):
        return []
    return [_split(one) for one in ([gpu] if isinstance(gpu, str) else gpu)]


def _split(one: str) -> tuple[str, int]:
    name, colon, count = one.partition(":")
    return name, int(count) if colon else 1


def check_resources(recipe: Recipe) -> Iterator[Issue]:
    """What Modal would refuse, found before anything is deployed."""
    for stage, resources in recipe.resources.items():
        yield from _check_gpu(("resources", stage, "gpu"), resources)
        if resources.timeout and resources.timeout > LONGEST:
            yield Issue(
                "invalid-value",
                ("resources", stage, "timeout"),
                f"a time-out of {resources.timeout} s is over Modal's 24 hours",
                f"at most {LONGEST}",
                hint="leave it out: training that times out after a new checkpoint is submitted again",
            )


def _check_gpu(path: KeyPath, resources: Resources) -> Iterator[Issue]:
    if isinstance(resources.gpu, int) and resources.gpu:
        yield Issue("invalid-value", path, "Modal has to know which GPU", f'"H100:{resources.gpu}", or another name')
        return
    found = choices(resources.gpu)
    for name, count in found:
        if name not in MOST:
            yield Issue(
                "unknown-name",
                path,
                f"Modal has no GPU named `{name}`",
                f"one of {', '.join(MOST)}",
                nearest(name.upper(), MOST),
            )
        elif count > MOST[name]:
            yield Issue("invalid-value", path, f"a container cannot have {count} {name}", f"1 to {MOST[name]}")
    if len({count for _, count in found}) > 1:
        yield Issue(
            "invalid-value",
            path,
            "the GPUs of an order of preference differ in number, and the number is part of a result",
            f"{found[0][1]} of each",
        )
