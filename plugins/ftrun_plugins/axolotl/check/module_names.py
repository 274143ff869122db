"""Names of modules in a trainer configuration, looked up in the model's architecture as PEFT and axolotl do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.errors import Problem
from ftrun.utils.suggest import nearest

MOST_NAMES = 24
TARGETS = "lora_target_modules"
FIRST_INDEX = re.compile(r"\.(\d+)(?:\.|$)")


class ModelNames:
    """Names of the modules and parameters of a model."""

    def __init__(self, model: Any) -> None:
        import torch

        modules = dict(model.named_modules())
        self.architecture = type(model).__name__
        self.modules = [name for name in modules if name]
        self.parameters = [name for name, _ in model.named_parameters()]
        self.linear = _last_parts(name for name, module in modules.items() if isinstance(module, torch.nn.Linear))
        self.layers = sorted({int(found[1]) for name in modules if (found := FIRST_INDEX.search(name))})


@dataclass(frozen=True)
class NameKey:
    """Trainer key whose values must match names of a model.

    Args:
        kind: What the values name.
        matches: Returns True if a value matches a name of the model.
        known: Returns the names to suggest.
        needs_adapter: If true, the key has no effect without an adapter, and is not checked.
    """

    kind: str
    matches: Callable[[Any, ModelNames], bool]
    known: Callable[[ModelNames], Sequence[str]]
    needs_adapter: bool = True


def check_names(config: Mapping[str, Any], model: Any, origins: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each name or pattern of a configuration that matches nothing in a model.

    Args:
        config: The trainer's configuration.
        model: The model, on any device.
        origins: For each trainer key, the path in the recipe that sets it.
    """
    names = ModelNames(model)
    for key, rule in NAME_KEYS.items():
        if rule.needs_adapter and not config.get("adapter"):
            continue
        for value in _list_values(key, config.get(key)):
            if not rule.matches(value, names) and not (key == TARGETS and _is_converted(value, model)):
                yield _describe(key, rule, value, names, origins.get(key))


def _describe(key: str, rule: NameKey, value: Any, names: ModelNames, at: str | None) -> Problem:
    text = value.pattern if isinstance(value, re.Pattern) else str(value)
    known = rule.known(names)
    more = ", …" if len(known) > MOST_NAMES else ""
    return Problem(
        "unknown-name",
        f"`{key}` has `{text}`, which matches no {rule.kind} of the model ({names.architecture})",
        at=at or f"train.{key}",
        expected=", ".join(known[:MOST_NAMES]) + more,
        did_you_mean=nearest(text.rpartition(".")[2], known),
    )


def _list_values(key: str, value: Any) -> list[Any]:
    """Return the values of a key. A text for the target modules is a regular expression."""
    if value in (None, "", "all-linear"):
        return []
    if isinstance(value, str) and key == TARGETS:
        return [re.compile(value)]
    return list(value) if isinstance(value, (list, tuple, Mapping)) else [value]


def _is_converted(value: Any, model: Any) -> bool:
    """Return True if PEFT replaces an old name of experts, such as `w1` of Mixtral, by that of a parameter."""
    from peft import LoraConfig
    from peft.utils.transformers_weight_conversion import convert_peft_config_for_transformers

    if isinstance(value, re.Pattern):
        return False
    config = LoraConfig(target_modules=[value])
    convert_peft_config_for_transformers(config, model, conversions=None)
    return bool(config.target_parameters)


def _matches_end(value: Any, full_names: Sequence[str]) -> bool:
    if isinstance(value, re.Pattern):
        return any(value.fullmatch(name) for name in full_names)
    return any(name == value or name.endswith(f".{value}") for name in full_names)


def _matches_unfrozen(value: Any, names: ModelNames) -> bool:
    from axolotl.utils.freeze import LayerNamePattern

    pattern = LayerNamePattern(value)
    return any(pattern.match(name) for name in names.parameters)


def _matches_pattern(value: Any, names: ModelNames) -> bool:
    return any(re.match(rf"(.*\.)?({value})$", name) for name in (*names.modules, *names.parameters))


def _last_parts(full_names: Iterator[str]) -> list[str]:
    parts = {name.rpartition(".")[2] for name in full_names}
    return sorted(part for part in parts if part and not part.isdigit())


def _module_parts(names: ModelNames) -> list[str]:
    return _last_parts(iter(names.modules))


def _parameter_ends(names: ModelNames) -> list[str]:
    return sorted({".".join(name.split(".")[-2:]) for name in names.parameters})


NAME_KEYS: Mapping[str, NameKey] = {
    TARGETS: NameKey("module", lambda value, names: _matches_end(value, names.modules), lambda names: names.linear),
    "lora_modules_to_save": NameKey(
        "module", lambda value, names: any(name.endswith(value) for name in names.modules), _module_parts
    ),
    "lora_target_parameters": NameKey(
        "parameter", lambda value, names: _matches_end(value, names.parameters), _parameter_ends
    ),
    "lora_rank_pattern": NameKey("module", _matches_pattern, lambda names: names.linear),
    "lora_alpha_pattern": NameKey("module", _matches_pattern, lambda names: names.linear),
    "peft_layers_to_transform": NameKey(
        "layer", lambda value, names: value in names.layers, lambda names: [str(layer) for layer in names.layers]
    ),
    "peft_layers_pattern": NameKey(
        "list of layers",
        lambda value, names: any(re.match(rf"(?:^|.*?\.){value}\.\d+(\.|$)", name) for name in names.modules),
        lambda names: _last_parts(name.rpartition(".")[0] for name in names.modules if name.endswith(".0")),
    ),
    "unfrozen_parameters": NameKey("parameter", _matches_unfrozen, _parameter_ends, needs_adapter=False),
}
