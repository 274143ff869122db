"""JSON Schema of recipe files, from the recipe's types, all registered parts, config groups and the trainer's keys."""

from __future__ import annotations

from typing import Any

from ftrun import __version__
from ftrun.api.config_dirs import headline, options_of
from ftrun.api.recipe import AXOLOTL, SERVER, Eval, Recipe
from ftrun.api.trainers import Trainer, TrainerSchema
from ftrun.plugins.manager import Plugins
from ftrun.recipe.layers import GROUPS
from ftrun.recipe.load import MULTI_SELECT
from ftrun.utils.json_schema import REFERENCE, Schema, or_interpolation, partial
from ftrun_plugins.schema.models import definitions, fields

ANY_KEYS = "trainer.AnyKeys"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Keys of the recipe's types that select a part, with the kind of the part.
PARTS = {"source": "source", "held_out": "source", "formatter": "formatter"}
MULTIPLE_CHOICE = (*MULTI_SELECT, "environment")
GATE = "Threshold of the evaluation. A run that does not meet it ends with exit code 3."
DEFAULTS = "Recipes that this recipe extends, and its choices in config groups. Later entries override earlier entries."


def recipe_schema(plugins: Plugins) -> Schema:
    """Return the schema, in draft 2020-12."""
    schemas = {name: partial(schema) for name, schema in definitions(Recipe, "").items()}
    whole = schemas.pop("Recipe")
    keys = _load_trainer_keys(plugins)
    schemas |= keys.definitions
    for kind in ("source", "formatter", "evaluator", "backend"):
        schemas |= _define_parts(kind, plugins)
    for name, schema in schemas.items():
        if name not in keys.definitions and "properties" in schema:
            schema["properties"] = {key: _adapt_schema(key, value) for key, value in schema["properties"].items()}
    properties = {key: value for key, value in whole["properties"].items() if key != "name"}
    properties |= _build_sections(properties, plugins, schemas, keys)
    return {
        "$schema": DRAFT,
        "title": f"A recipe of ftrun {__version__}",
        "type": "object",
        "properties": {"defaults": _build_defaults(plugins), **properties},
        "additionalProperties": False,
        "$defs": schemas,
    }


def _load_trainer_keys(plugins: Plugins) -> TrainerSchema:
    """Return the schemas of the default trainer's keys. If it has none, any key is accepted."""
    trainer: Trainer = plugins.get("trainer", AXOLOTL).cls()
    return trainer.schema() or TrainerSchema({ANY_KEYS: {"type": "object"}}, ANY_KEYS, ANY_KEYS)


def _adapt_schema(key: str, schema: Schema) -> Schema:
    if key in PARTS and "PluginRef" in str(schema):
        options = [{"$ref": f"{REFERENCE}{PARTS[key]}"}, *([{"type": "null"}] if "anyOf" in schema else [])]
        return {"description": schema.get("description", ""), "anyOf": options}
    if key == "trainer" and schema.get("type") == "object":
        return schema  # `_build_sections` adds its keys
    return or_interpolation(schema)


def _define_parts(kind: str, plugins: Plugins) -> dict[str, Schema]:
    """Return the definitions of all parts of a kind, and one under the kind's name that accepts any of them."""
    tag, common = ("evaluator", _evaluation_keys()) if kind == "evaluator" else ("name", {})
    schemas: dict[str, Schema] = {}
    options = []
    for name, registered in sorted(plugins.of_kind(kind).items()):
        known, inner = fields(registered.cls.Options, f"{kind}.{name}.")
        schemas |= {key: partial(schema) for key, schema in inner.items()}
        summary = (registered.cls.__doc__ or "").strip().partition("\n")[0]
        properties = {tag: {"const": name, "description": summary or f"The {kind} `{name}`."}}
        properties |= common | {key: or_interpolation(partial(schema)) for key, schema in known.items()}
        schemas[f"{kind}.{name}"] = {
            "type": "object",
            "description": summary,
            "properties": properties,
            "additionalProperties": False,
        }
        options.append({"$ref": f"{REFERENCE}{kind}.{name}"})
    return {**schemas, kind: {"anyOf": options}}


def _evaluation_keys() -> dict[str, Schema]:
    """Return the schemas of the keys of an evaluation that are no options of its evaluator."""
    keys, _ = fields(Eval, "")
    own = {key: or_interpolation(schema) for key, schema in keys.items() if key not in ("evaluator", "gate")}
    return {"gate": {"description": GATE, "$ref": f"{REFERENCE}Gate"}, **own}


def _build_sections(
    properties: dict[str, Any], plugins: Plugins, schemas: dict[str, Schema], keys: TrainerSchema
) -> dict[str, Schema]:
    """Return the keys of a recipe whose contents depend on plugins. Adds their definitions to `schemas`."""
    config = {"$ref": f"{REFERENCE}{keys.keys}"}
    schemas["Model"]["properties"]["trainer"] |= config
    schemas["Dataset"]["properties"]["trainer"] |= {"$ref": f"{REFERENCE}{keys.dataset_keys}"}
    for key in ("Model", "Dataset"):
        schemas[key]["properties"]["trainer"].pop("additionalProperties", None)
        schemas[key]["properties"]["trainer"].pop("type", None)
    stages = sorted(plugins.of_kind("stage"))
    settings = {}
    for name, registered in plugins.of_kind("setting").items():
        schemas |= {key: partial(schema) for key, schema in definitions(registered.cls, f"setting.{name}.").items()}
        settings[name] = {"$ref": f"{REFERENCE}setting.{name}.{registered.cls.__name__}"}

    def section(key: str, **more: Any) -> Schema:
        return {"type": "object", "description": properties[key].get("description", ""), **more}

    return {
        "train": {"description": properties["train"].get("description", ""), **config},
        "optimizations": section(
            "optimizations", properties=_build_options(plugins, "optimizations", config), **_allow_other_keys(config)
        ),
        "evals": section(
            "evals",
            properties=_build_options(plugins, "evals", _refer_to("evaluator")),
            **_allow_other_keys(_refer_to("evaluator")),
        ),
        "backend": {"description": properties["backend"].get("description", ""), **_refer_to("backend")},
        "resources": section(
            "resources",
            properties={name: _refer_to("Resources") for name in (*stages, SERVER)},
            **_allow_other_keys(False),
        ),
        "environment": section(
            "environment",
            properties=_build_options(plugins, "environment", _refer_to("Environment")),
            **_allow_other_keys(_refer_to("Environment")),
        ),
        "settings": section("settings", properties=settings, **_allow_other_keys(False)),
        "stages": {
            "description": properties["stages"].get("description", ""),
            "type": "array",
            "items": {"enum": stages},
        },
    }


def _refer_to(name: str) -> Schema:
    return {"$ref": f"{REFERENCE}{name}"}


def _allow_other_keys(schema: Any) -> Schema:
    return {"additionalProperties": schema}


def _build_options(plugins: Plugins, group: str, schema: Schema) -> Schema:
    """Return the options of a config group as keys, which editors suggest."""
    return {name: {**_make_description(text), **schema} for name, text in _list_options(plugins, group).items()}


def _list_options(plugins: Plugins, group: str) -> dict[str, str]:
    """Return the names of the options of a config group, each with its first comment line."""
    return {
        name: headline(folder.conf / group / f"{name}.yaml")
        for folder in plugins.config_folders()
        if folder.conf
        for name in options_of(folder, group)
    }


def _make_description(text: str) -> Schema:
    return {"description": f"{text}."} if text else {}


def _build_defaults(plugins: Plugins) -> Schema:
    choices: dict[str, Schema] = {}
    patterns: dict[str, Schema] = {}
    for group in GROUPS:
        if group == "recipe":
            continue
        single = {
            "anyOf": [
                {"const": name, **_make_description(text)} for name, text in _list_options(plugins, group).items()
            ]
        }
        several = {"anyOf": [{"type": "array", "items": single}, single, {"type": "null"}]}
        text = f"Chooses {'options' if group in MULTIPLE_CHOICE else 'an option'} of the group `{group}`."
        choices[f"override /{group}"] = {"description": text, **(several if group in MULTIPLE_CHOICE else single)}
        patterns[f"^(override )?/?{group}(@.*)?$"] = several
    entry = {
        "type": "object",
        "properties": choices,
        "patternProperties": patterns,
        "additionalProperties": False,
        "maxProperties": 1,
    }
    recipes = (name for folder in plugins.config_folders() for name in options_of(folder, "recipe"))
    names = {"type": "string", "examples": ["_self_", *recipes]}
    return {"description": DEFAULTS, "type": "array", "items": {"anyOf": [entry, names]}}
