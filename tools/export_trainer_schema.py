"""Writes axolotl's configuration schema, strict and without prose, for the client to check recipes against.

    python tools/export_trainer_schema.py OUTPUT.json

Run it with the trainer environment's interpreter, again whenever the axolotl pin moves. axolotl ignores keys that it
does not know, so the export closes every object model, and it adds the keys that axolotl's own plugins bring along,
each marked with the plugin that it needs. Beyond JSON Schema the result has

    x-axolotl           the version that was exported
    x-plugin            at a key: the name that has to be in `plugins`, or the key does nothing
    x-deprecated        at a key: {"use": what replaces it, "removed": true where axolotl refuses it}
    x-meaning           at a pattern: what it stands for
    x-skipped-plugins   plugins whose keys could not be had, with the reason
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

PROSE = ("title", "description", "help", "examples", "deprecated")
PROBES: tuple[object, ...] = (1, True, "x")  # one of them is valid for every deprecated key
MORE_SPELLINGS = {TorchAOQuantDType: ["fp8", "float8"]}  # what its validators take besides the members

# Keys that are plain text to pydantic although only these words work. axolotl's validators refuse others in some,
# in the rest the trainer does, long after the GPUs were paid for.
WORDS: dict[str, list[str]] = {
    "attn_implementation": sorted(CANONICAL_ATTN_IMPLS),
    "eval_strategy": [each.value for each in IntervalStrategy],
    "large_head_attention": ["auto", "sdpa", "triton_flash"],
    "lr_scheduler": [*(each.value for each in SchedulerType), "one_cycle", "rex"],
    "optimizer": sorted({each.value for each in (*OptimizerNames, *CustomSupportedOptimizers)}),
    "save_strategy": [each.value for each in SaveStrategy],
}
PATTERNS = {
    "attn_implementation": {"pattern": "/", "x-meaning": "the path of a kernel on the hub"},
    "learning_rate": {"pattern": r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$", "x-meaning": "a number"},
}
ADAPTERS = ["lora", "qlora", "llama-adapter"]  # those of axolotl itself; its plugins add theirs


class StrictSchema(GenerateJsonSchema):
    """Closes every object model, offers every accepted spelling of a key, and survives what JSON cannot say."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        result.setdefault("additionalProperties", False)
        properties = result.get("properties", {})
        for name, field in schema["cls"].model_fields.items():
            spellings = _spellings(name, field, schema["cls"])
            known = next(properties[spelling] for spelling in spellings if spelling in properties)
            if isinstance(field.deprecated, str):
                known["x-deprecated"] = {"use": field.deprecated}  # the text is read once all keys are known
            properties.update({spelling: deepcopy(known) for spelling in spellings})
        return result

    def encode_default(self, dft: Any) -> Any:
        try:
            return super().encode_default(dft)
        except Exception:  # pydantic lets through whatever the default's own serializer raises
            return str(dft)

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        # A member that stands for a Python object (a torch.dtype) is written by its name.
        members = schema["members"]
        values = [each.value if isinstance(each.value, (str, int)) else each.name for each in members]
        kind = "integer" if all(isinstance(value, int) for value in values) else "string"
        return {"type": kind, "enum": values + MORE_SPELLINGS.get(schema["cls"], [])}

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        return {}  # a Python-only type: anything goes


def _spellings(name: str, field: FieldInfo, model: type[BaseModel]) -> list[str]:
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    names = [choice for choice in choices if isinstance(choice, str)]
    if not names or model.model_config.get("populate_by_name"):
        names.append(name)
    return names


def _find_plugins() -> tuple[dict[str, BasePlugin], dict[str, str]]:
    """The plugins that come with axolotl, by the name to list in `plugins`; and the packages skipped, with reasons."""
    plugins: dict[str, BasePlugin] = {}
    skipped: dict[str, str] = {}
    for info in pkgutil.iter_modules(axolotl.integrations.__path__, "axolotl.integrations."):
        if not info.ispkg:
            continue
        try:
            plugins |= {name: plugin() for name, plugin in _plugins_in(importlib.import_module(info.name)).items()}
        except ImportError as error:
            skipped[info.name] = str(error)
    return plugins, skipped


def _key_models(plugins: dict[str, BasePlugin]) -> dict[str, type[BaseModel]]:
    models: dict[str, type[BaseModel]] = {}
    for name, plugin in plugins.items():
        if arguments := plugin.get_input_args():
            module, _, class_name = arguments.rpartition(".")
            models[name] = getattr(importlib.import_module(module), class_name)
    return models


def _plugins_in(package: ModuleType) -> dict[str, type[BasePlugin]]:
    """Dotted name -> plugin class, preferring the name under the package to one under its submodule."""
    found: dict[type[BasePlugin], str] = {}
    submodules = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    modules = [name for name in submodules if name.rpartition(".")[2].startswith("plugin")]
    for module in (package, *map(importlib.import_module, modules)):
        for name, value in inspect.getmembers(module, inspect.isclass):
            if issubclass(value, BasePlugin) and value.__module__.startswith(package.__name__):
                found.setdefault(value, f"{module.__name__}.{name}")
    return {name: plugin for plugin, name in found.items()}


def _mark_old_parameters(properties: Schema) -> None:
    """Marks the keys that pydantic does not know to be deprecated: axolotl's validators complain when they are set."""
    for name in deprecated.DeprecatedParameters.model_fields:
        for probe in PROBES:
            with patch.object(deprecated, "LOG") as log:
                try:
                    deprecated.DeprecatedParameters.model_validate({name: probe})
                except ValidationError:
                    continue
                except DeprecationWarning as refusal:
                    properties[name]["x-deprecated"] = {"use": str(refusal), "removed": True}
                else:
                    properties[name]["x-deprecated"] = {"use": log.warning.call_args.args[0]}
            break
        else:
            raise SystemExit(f"none of the probes is valid for the deprecated `{name}`: add one")


def _narrow_words(properties: Schema, plugins: dict[str, BasePlugin]) -> None:
    """Replaces "any text" by the words and patterns that work."""
    added = [each.name for plugin in plugins.values() for each in plugin.get_adapter_capabilities()]
    for name, words in {**WORDS, "adapter": ADAPTERS + added}.items():
        _replace_text(properties[name], {"enum": words})
    for name, pattern in PATTERNS.items():
        fixed = [{"enum": WORDS[name]}] if name in WORDS else []
        _replace_text(properties[name], *fixed, pattern)


def _replace_text(item: Schema, *options: Schema) -> None:
    others = [option for option in item["anyOf"] if option.get("type") != "string" and "$ref" not in option]
    item["anyOf"] = [*({"type": "string", **option} for option in options), *others]


def _replacements(name: str, text: str, known: set[str]) -> list[str]:
    """The keys, with their value if one is given, that a deprecation text says to use."""
    advice = re.split(r"\buse\b", text, maxsplit=1, flags=re.IGNORECASE)[-1]
    mentions = re.finditer(r"(\w+)(?:\.\w+)?(?:: \w+)?", advice)
    # Words without an underscore ("export", "strict") are more likely prose than keys.
    return [mention[0] for mention in mentions if "_" in mention[1] and mention[1] in known - {name}]


def _either_or() -> list[Schema]:
    """The one demand on top of `required`, which only axolotl's validators know: found by leaving everything out."""
    smallest = {name: 1 if name == "learning_rate" else "x" for name in _required_names()}
    try:
        AxolotlInputConfig.model_validate(smallest)
    except ValidationError as error:
        match = re.search(r"either (\w+) or (\w+) is required", str(error))
        if match:
            return [{"required": [name]} for name in match.groups()]
    raise SystemExit("axolotl no longer says `either A or B is required`: look at what it demands now")


def _required_names() -> list[str]:
    return [name for name, field in AxolotlInputConfig.model_fields.items() if field.is_required()]


def _without_prose(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    cleaned: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):  # their keys are names, not keywords
            cleaned[key] = {name: _without_prose(item) for name, item in value.items()}
        elif key not in PROSE and not (key == "default" and value is None):
            cleaned[key] = _without_prose(value)
    return cleaned


def export() -> Schema:
    """The whole schema, ready to be written."""
    plugins, skipped = _find_plugins()
    key_models = _key_models(plugins)
    models = [AxolotlInputConfig, *key_models.values()]
    references, rest = models_json_schema([(model, "validation") for model in models], schema_generator=StrictSchema)
    definitions = rest["$defs"]
    tops = {model: references[model, "validation"]["$ref"].rpartition("/")[2] for model in models}
    schema: Schema = definitions[tops[AxolotlInputConfig]]
    properties = schema["properties"]
    _mark_old_parameters(properties)
    _narrow_words(properties, plugins)
    active = get_builtin_plugins()  # these work without being listed
    for plugin, model in key_models.items():
        for name, item in definitions[tops[model]]["properties"].items():
            properties.setdefault(name, item if plugin in active else {**item, "x-plugin": plugin})
    for name in tops.values():
        del definitions[name]
    _read_advice(definitions, schema)
    extras = {"x-axolotl": version("axolotl"), "x-skipped-plugins": skipped, "anyOf": _either_or()}
    cleaned: Schema = _without_prose({**schema, **extras, "$defs": definitions})
    return cleaned


def _read_advice(definitions: Schema, schema: Schema) -> None:
    """Turns each deprecation text into the list of replacements that it names."""
    known = set(schema["properties"])
    for model in (schema, *definitions.values()):
        for name, item in model.get("properties", {}).items():
            if mark := item.get("x-deprecated"):
                mark["use"] = _replacements(name, mark["use"], known | set(model["properties"]))


def main(output: Path) -> None:
    """Writes the schema aside and moves it into place, so that no reader meets half a file."""
    text = json.dumps(export(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    aside = output.with_name(output.name + ".part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(output)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
