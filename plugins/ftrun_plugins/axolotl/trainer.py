"""Trainer axolotl, for use by other stages and commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ftrun.api.recipe import AXOLOTL, Recipe
from ftrun.api.trainers import AdapterLayout, Replacement, TrainerConfig, TrainerSchema
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.config.file_keys import names_file

WHOLE_PARTS = {
    "lora_modules_to_save": "modules that are trained completely",
    "tokens": "added tokens",
    "added_tokens_overrides": "added tokens",
    "peft_use_dora": "DoRA",
}


class Axolotl:
    """Implementation of `ftrun.api.trainers.Trainer` for axolotl."""

    name: ClassVar[str] = AXOLOTL
    environment: ClassVar[str] = "trainer"
    preview_module: ClassVar[str | None] = "ftrun_plugins.axolotl.tokenize.preview_worker"

    def names_file(self, key: str, value: Any) -> bool:
        return names_file(key, value)

    def build_config(self, recipe: Recipe) -> TrainerConfig:
        return build_trainer_config(recipe)

    def adapter_layout(self, values: Mapping[str, Any]) -> AdapterLayout | None:
        if not values.get("adapter"):
            return None
        rank = values.get("lora_r")
        return AdapterLayout(
            rank=("lora_r", rank) if isinstance(rank, int) else None,
            whole_parts={key: part for key, part in WHOLE_PARTS.items() if values.get(key)},
        )

    def uses_own_template(self, values: Mapping[str, Any]) -> bool:
        return values.get("chat_template") not in (None, "tokenizer_default")

    def rehearsal(self, values: Mapping[str, Any]) -> Iterable[Replacement]:
        from ftrun_plugins.axolotl.rehearsal import replacements

        return replacements(values)

    def schema(self) -> TrainerSchema | None:
        from ftrun_plugins.axolotl.config.json_schema import trainer_schema

        return trainer_schema()
