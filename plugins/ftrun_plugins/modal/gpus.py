"""Modal's names of GPUs, and the maximum number of each in one container."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe, Resources, parse_gpu
from ftrun.utils.suggest import nearest

# As of modal 1.6.4. Modal never upgrades `H100!` to an H200. It may upgrade `B200+`.
MAX_GPUS: dict[str, int] = {
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
MAX_TIMEOUT = 24 * 3600  # seconds


def parse_gpus(gpu: str | int | list[str] | None) -> list[tuple[str, int]]:
    """Return names and counts in order of preference: `"H100:2"` is `[("H100", 2)]`. Empty without a named GPU."""
    if not gpu or isinstance(gpu, int):
        return []
    return [parse_gpu(text) for text in ([gpu] if isinstance(gpu, str) else gpu)]


def check_resources(recipe: Recipe) -> Iterator[Issue]:
    """Yield an issue for each GPU and timeout that Modal would refuse, before anything is deployed."""
    for stage, resources in recipe.resources.items():
        yield from _check_gpu(("resources", stage, "gpu"), resources)
        if resources.timeout and resources.timeout > MAX_TIMEOUT:
            yield Issue(
                "invalid-value",
                ("resources", stage, "timeout"),
                f"a timeout of {resources.timeout} s exceeds Modal's limit of 24 hours",
                f"at most {MAX_TIMEOUT}",
                hint="remove it: training that times out after a new checkpoint is submitted again",
            )


def _check_gpu(path: KeyPath, resources: Resources) -> Iterator[Issue]:
    if isinstance(resources.gpu, int) and resources.gpu:
        yield Issue(
            "invalid-value",
            path,
            "the number of GPUs is not enough, because Modal needs the name of a GPU",
            f'"H100:{resources.gpu}", or another name',
        )
        return
    choices = parse_gpus(resources.gpu)
    for name, count in choices:
        if name not in MAX_GPUS:
            yield Issue(
                "unknown-name",
                path,
                f"Modal has no GPU named `{name}`",
                f"one of {', '.join(MAX_GPUS)}",
                nearest(name.upper(), MAX_GPUS),
            )
        elif count > MAX_GPUS[name]:
            yield Issue(
                "invalid-value",
                path,
                f"a container cannot have {count} GPUs of type `{name}`",
                f"1 to {MAX_GPUS[name]}",
            )
    if len({count for _, count in choices}) > 1:
        yield Issue(
            "invalid-value",
            path,
            "the alternatives have different numbers of GPUs, and the number affects the result",
            f"{choices[0][1]} of each",
        )
