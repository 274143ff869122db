"""Values of trainer keys that need a package which axolotl does not install by itself.

axolotl and transformers look for these packages when they load the model or make the optimizer, on a GPU that is paid.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftrun.api.issues import Issue
from ftrun.api.locks import pins
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import TrainerConfig
from ftrun_plugins.axolotl.train.trackers import select_trackers

CUT_PLUGIN = "axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin"
OTHER_OPTIMIZER = "choose another optimizer, such as train.optimizer=adamw_torch_fused"


@dataclass(frozen=True)
class PackageKey:
    """Trainer key whose values need a package.

    Attributes:
        key: Name of the trainer key.
        package: Name of the package in a lock.
        values: Values, or entries of a list, that need the package. Empty if each true value does.
        instead: Way on without the package.
    """

    key: str
    package: str
    values: tuple[str, ...] = ()
    instead: str = ""

    def find_use(self, config: Mapping[str, Any]) -> str | None:
        """Return the value of a configuration that needs the package, as text, or None."""
        value = config.get(self.key)
        if not self.values:
            return str(value).lower() if value else None
        entries = value if isinstance(value, list) else [value]
        return next((entry for entry in entries if entry in self.values), None)


PACKAGE_KEYS = (
    *(
        PackageKey("optimizer", package, names, OTHER_OPTIMIZER)
        for package, names in {
            "apollo-torch": ("apollo_adamw", "apollo_adamw_layerwise"),
            "came-pytorch": ("came_pytorch",),
            "flashoptim": ("flash_adam", "flash_adamw", "flash_lion", "flash_sgd", "flash_sgdw"),
            "galore-torch": (
                "galore_adafactor", "galore_adafactor_layerwise", "galore_adamw", "galore_adamw_8bit",
                "galore_adamw_8bit_layerwise", "galore_adamw_layerwise",
            ),
            "grokadamw": ("grokadamw",),
            "lomo-optim": ("adalomo", "lomo"),
            "polora": ("polora",),
            "q-galore-torch": ("q_galore_adamw8bit",),
            "scao": ("scao",),
            "torch-npu": ("adamw_torch_npu_fused",),
            "torch-optimi": ("optimi_adamw", "stable_adamw"),
            "torch-xla": ("adamw_torch_xla",),
            "torchdistx": ("adamw_anyprecision",),
        }.items()
    ),
    PackageKey("attn_implementation", "sageattention", ("sage",), "set train.attn_implementation=sdpa"),
    PackageKey("attn_implementation", "flash-attn-4", ("flash_attention_4",), "set train.attn_implementation=sdpa"),
    PackageKey(
        "cut_cross_entropy", "cut-cross-entropy",
        instead="leave it out, for the same loss; train.liger_fused_linear_cross_entropy=true saves the same memory",
    ),
    PackageKey("plugins", "cut-cross-entropy", (CUT_PLUGIN,), "leave it out, for the same loss"),
    PackageKey("dense_mixer", "densemixer"),
    PackageKey("use_onebitllms", "onebitllms"),
    PackageKey("use_swanlab", "swanlab"),
    PackageKey("swanlab_project", "swanlab"),
    PackageKey("use_otel_metrics", "prometheus-client"),
)  # fmt: skip


def check_packages(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield an issue for each key that needs a package which the trainer's lock does not have.

    axolotl skips a tracker without its package in silence; the other keys end the training.
    """
    needed = list(_find_needs(config.values))
    packages = _read_lock(recipe) if needed else None
    if packages is None:
        return
    for key, package, what, instead in needed:
        if package not in packages:
            packages.add(package)  # one issue is enough
            yield Issue(
                "missing-package",
                config.origins[key],
                f"{what} needs the package `{package}`, which is not in the trainer's lock",
                hint="; or ".join(filter(None, (instead, "use a lock with it: environment.trainer.lock=FILE"))),
            )


def _read_lock(recipe: Recipe) -> set[str] | None:
    """Return the packages of the trainer's lock, or None if the trainer uses an interpreter as it is."""
    environment = recipe.environment.get("trainer")
    if environment is None or os.sep in environment.python or not (environment.lock and environment.lock.is_file()):
        return None
    return {pin.partition("==")[0] for pin in pins(environment.lock.read_text(encoding="utf-8", errors="replace"))}


def _find_needs(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield key, package, what needs it, and a way on without it."""
    for tracker, key in select_trackers(values):
        yield key, tracker.package, tracker.name, ""
    for entry in PACKAGE_KEYS:
        use = entry.find_use(values)
        if use is not None:
            yield entry.key, entry.package, f"`{entry.key}: {use}`", entry.instead
