"""Export axolotl's configuration schema, strict and without descriptions, so that ftrun can check recipes with it.

    python tools/export_trainer_schema.py OUTPUT.json

Run this with the interpreter of the trainer environment, and again after each change of the axolotl version. axolotl
ignores unknown keys, so the export forbids additional keys in every object. It also adds the keys of axolotl's own
plugins, each with the name of its plugin. The result has these keywords in addition to JSON Schema:

    x-axolotl           exported version
    x-plugin            of a key: the name that `plugins` must contain, because the key has no effect otherwise
    x-deprecated        of a key: {"use": its replacements, "removed": true if axolotl rejects the key}
    x-meaning           of a pattern: its meaning in words
    x-skipped-plugins   plugins whose keys could not be read, with the reason
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import axolotl.integrations
from axolotl.integrations.base import BasePlugin, get_builtin_plugins
from axolotl.utils.schemas import deprecated
from axolotl.utils.schemas.config import AxolotlInputConfig
from axolotl.utils.schemas.enums import CANONICAL_ATTN_IMPLS, CustomSupportedOptimizers, TorchAOQuantDType
from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema
from transformers.trainer_utils import IntervalStrategy, SaveStrategy, SchedulerType
from transformers.training_args import OptimizerNames

Schema = dict[str, Any]

DESCRIPTION_KEYWORDS = ("title", "description", "help", "examples", "deprecated")
PROBES: tuple[object, ...] = (1, True, "x")  # every deprecated key accepts at least one of these values
MORE_SPELLINGS = {TorchAOQuantDType: ["fp8", "float8"]}  # further values that its validators accept

# Keys that are any text for pydantic, although only these words work. For some keys axolotl's validators reject other
# words. For the rest the trainer fails late, when GPUs are already in use.
WORDS: dict[str, list[str]] = {
    "attn_implementation": sorted(CANONICAL_ATTN_IMPLS),
    "eval_strategy": [member.value for member in IntervalStrategy],
    "large_head_attention": ["auto", "sdpa", "triton_flash"],
    "lr_scheduler": [*(member.value for member in SchedulerType), "one_cycle", "rex"],
    "optimizer": sorted({member.value for member in (*OptimizerNames, *CustomSupportedOptimizers)}),
    "save_strategy": [member.value for member in SaveStrategy],
}
PATTERNS = {
    "attn_implementation": {"pattern": "/", "x-meaning": "the path of a kernel on the hub"},
    "learning_rate": {"pattern": r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$", "x-meaning": "a number"},
}
ADAPTERS = ["lora", "qlora", "llama-adapter"]  # adapters of axolotl itself; plugins add more


class StrictSchema(GenerateJsonSchema):
    """Schema generator that forbids unknown keys, includes all aliases of keys, and accepts Python-only types."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        result.setdefault("additionalProperties", False)
        properties = result.get("properties", {})
        for name, field in schema["cls"].model_fields.items():
            aliases = _find_aliases(name, field, schema["cls"])
            known = next(properties[alias] for alias in aliases if alias in properties)
            if isinstance(field.deprecated, str):
                known["x-deprecated"] = {"use": field.deprecated}  # `_parse_advice` reads the text later
            properties.update({alias: deepcopy(known) for alias in aliases})
        return result

    def encode_default(self, dft: Any) -> Any:
        try:
            return super().encode_default(dft)
        except Exception:  # a serializer of the default may raise any exception
            return str(dft)

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        # A member with a Python object as its value, such as torch.dtype, is represented by its name.
        members = schema["members"]
        values = [member.value if isinstance(member.value, (str, int)) else member.name for member in members]
        kind = "integer" if all(isinstance(value, int) for value in values) else "string"
        return {"type": kind, "enum": values + MORE_SPELLINGS.get(schema["cls"], [])}

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        return {}  # a Python-only type: accept any value


def _find_aliases(name: str, field: FieldInfo, model: type[BaseModel]) -> list[str]:
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    names = [choice for choice in choices if isinstance(choice, str)]
    if not names or model.model_config.get("populate_by_name"):
        names.append(name)
    return names


def _find_plugins() -> tuple[dict[str, BasePlugin], dict[str, str]]:
    """Return axolotl's own plugins by their name in `plugins`, and the skipped packages with reasons."""
    plugins: dict[str, BasePlugin] = {}
    skipped: dict[str, str] = {}
    for info in pkgutil.iter_modules(axolotl.integrations.__path__, "axolotl.integrations."):
        if not info.ispkg:
            continue
        try:
            plugins |= {name: plugin() for name, plugin in _find_classes(importlib.import_module(info.name)).items()}
        except ImportError as error:
            skipped[info.name] = str(error)
    return plugins, skipped


def _find_key_models(plugins: dict[str, BasePlugin]) -> dict[str, type[BaseModel]]:
    models: dict[str, type[BaseModel]] = {}
    for name, plugin in plugins.items():
        if arguments := plugin.get_input_args():
            module, _, class_name = arguments.rpartition(".")
            models[name] = getattr(importlib.import_module(module), class_name)
    return models


def _find_classes(package: ModuleType) -> dict[str, type[BasePlugin]]:
    """Return the plugin classes of a package by dotted name, preferring the name in the package to a submodule's."""
    names: dict[type[BasePlugin], str] = {}
    submodules = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    modules = [name for name in submodules if name.rpartition(".")[2].startswith("plugin")]
    for module in (package, *map(importlib.import_module, modules)):
        for name, value in inspect.getmembers(module, inspect.isclass):
            if issubclass(value, BasePlugin) and value.__module__.startswith(package.__name__):
                names.setdefault(value, f"{module.__name__}.{name}")
    return {name: plugin for plugin, name in names.items()}


def _mark_deprecated_keys(properties: Schema) -> None:
    """Mark deprecated keys that only axolotl's validators know, by setting each key and recording the warning."""
    for name in deprecated.DeprecatedParameters.model_fields:
        for probe in PROBES:
            with patch.object(deprecated, "LOG") as log:
                try:
                    deprecated.DeprecatedParameters.model_validate({name: probe})
                except ValidationError:
                    continue
                except DeprecationWarning as warning:
                    properties[name]["x-deprecated"] = {"use": str(warning), "removed": True}
                else:
                    properties[name]["x-deprecated"] = {"use": log.warning.call_args.args[0]}
            break
        else:
            raise SystemExit(f"no value in PROBES is valid for the deprecated key `{name}`; add one")


def _restrict_words(properties: Schema, plugins: dict[str, BasePlugin]) -> None:
    """Replace "any text" by the words and patterns that work."""
    adapters = [item.name for plugin in plugins.values() for item in plugin.get_adapter_capabilities()]
    for name, words in {**WORDS, "adapter": ADAPTERS + adapters}.items():
        _replace_text(properties[name], {"enum": words})
    for name, pattern in PATTERNS.items():
        fixed = [{"enum": WORDS[name]}] if name in WORDS else []
        _replace_text(properties[name], *fixed, pattern)


def _replace_text(item: Schema, *options: Schema) -> None:
    others = [option for option in item["anyOf"] if option.get("type") != "string" and "$ref" not in option]
    item["anyOf"] = [*({"type": "string", **option} for option in options), *others]


def _find_replacements(name: str, text: str, known: set[str]) -> list[str]:
    """Return the keys that a deprecation text recommends, with their value if the text contains a value."""
    advice = re.split(r"\buse\b", text, maxsplit=1, flags=re.IGNORECASE)[-1]
    mentions = re.finditer(r"(\w+)(?:\.\w+)?(?:: \w+)?", advice)
    # Words without an underscore, such as "export" and "strict", are probably not meant as keys.
    return [mention[0] for mention in mentions if "_" in mention[1] and mention[1] in known - {name}]


def _find_alternative_keys() -> list[Schema]:
    """Return the requirement "either A or B", which only axolotl's validators know.

    Validation of a configuration with only the required keys reveals it.
    """
    minimal = {name: 1 if name == "learning_rate" else "x" for name in _list_required_keys()}
    try:
        AxolotlInputConfig.model_validate(minimal)
    except ValidationError as error:
        match = re.search(r"either (\w+) or (\w+) is required", str(error))
        if match:
            return [{"required": [name]} for name in match.groups()]
    raise SystemExit("axolotl no longer reports `either A or B is required`; check which keys it requires")


def _list_required_keys() -> list[str]:
    return [name for name, field in AxolotlInputConfig.model_fields.items() if field.is_required()]


def _remove_descriptions(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_remove_descriptions(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    cleaned: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):  # their keys are names, not keywords
            cleaned[key] = {name: _remove_descriptions(item) for name, item in value.items()}
        elif key not in DESCRIPTION_KEYWORDS and not (key == "default" and value is None):
            cleaned[key] = _remove_descriptions(value)
    return cleaned


def export() -> Schema:
    """Return the complete schema."""
    plugins, skipped = _find_plugins()
    key_models = _find_key_models(plugins)
    models = [AxolotlInputConfig, *key_models.values()]
    references, document = models_json_schema(
        [(model, "validation") for model in models], schema_generator=StrictSchema
    )
    definitions = document["$defs"]
    model_names = {model: references[model, "validation"]["$ref"].rpartition("/")[2] for model in models}
    schema: Schema = definitions[model_names[AxolotlInputConfig]]
    properties = schema["properties"]
    _mark_deprecated_keys(properties)
    _restrict_words(properties, plugins)
    active = get_builtin_plugins()  # these work even if `plugins` does not contain them
    for plugin, model in key_models.items():
        for name, item in definitions[model_names[model]]["properties"].items():
            properties.setdefault(name, item if plugin in active else {**item, "x-plugin": plugin})
    for name in model_names.values():
        del definitions[name]
    _parse_advice(definitions, schema)
    extras = {"x-axolotl": version("axolotl"), "x-skipped-plugins": skipped, "anyOf": _find_alternative_keys()}
    cleaned: Schema = _remove_descriptions({**schema, **extras, "$defs": definitions})
    return cleaned


def _parse_advice(definitions: Schema, schema: Schema) -> None:
    """Replace each deprecation text by the list of keys that it recommends."""
    known = set(schema["properties"])
    for model in (schema, *definitions.values()):
        for name, item in model.get("properties", {}).items():
            if mark := item.get("x-deprecated"):
                mark["use"] = _find_replacements(name, mark["use"], known | set(model["properties"]))


def main(output: Path) -> None:
    """Write the schema to a temporary file and move it, so that no reader gets an incomplete file."""
    text = json.dumps(export(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    temporary = output.with_name(output.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(output)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
