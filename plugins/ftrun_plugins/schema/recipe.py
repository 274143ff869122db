"""The JSON Schema of recipe files: the recipe's types, options of all registered parts, groups, the trainer's keys."""

from __future__ import annotations

from typing import Any

from ftrun import __version__
from ftrun.api.config_dirs import headline, options_of
from ftrun.api.recipe import AXOLOTL, SERVER, Recipe
from ftrun.api.trainers import Trainer, TrainerSchema
from ftrun.plugins.manager import Plugins
from ftrun.recipe.compose import GROUPS
from ftrun.recipe.load import MULTI_SELECT
from ftrun.utils.json_schema import REFERENCE, Schema, or_interpolation, partial
from ftrun_plugins.schema.models import definitions, fields

ANY_KEYS = "trainer.AnyKeys"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Where a part is named in the recipe's types, and of which kind it is.
PARTS = {"source": "source", "held_out": "source", "formatter": "formatter"}
MANY = (*MULTI_SELECT, "environment")
GATE = "What the evaluation must reach; else the run ends with exit code 3."
DEFAULTS = "Recipes that this one builds on, and the options that it chooses in the groups; later ones win."


def recipe_schema(plugins: Plugins) -> Schema:
    """The schema, in draft 2020-12."""
    found = {name: partial(schema) for name, schema in definitions(Recipe, "").items()}
    whole = found.pop("Recipe")
    keys = _trainer_keys(plugins)
    found |= keys.definitions
    for kind in ("source", "formatter", "evaluator", "backend"):
        found |= _part(kind, plugins)
    for name, schema in found.items():
        if name not in keys.definitions and "properties" in schema:
            schema["properties"] = {key: _value(key, value) for key, value in schema["properties"].items()}
    properties = {key: value for key, value in whole["properties"].items() if key != "name"}
    properties |= _sections(properties, plugins, found, keys)
    return {
        "$schema": DRAFT,
        "title": f"A recipe of ftrun {__version__}",
        "type": "object",
        "properties": {"defaults": _defaults(plugins), **properties},
        "additionalProperties": False,
        "$defs": found,
    }


def _trainer_keys(plugins: Plugins) -> TrainerSchema:
    """Return the schemas of the default trainer's keys; any key is accepted if it has none."""
    trainer: Trainer = plugins.get("trainer", AXOLOTL).cls()
    return trainer.schema() or TrainerSchema({ANY_KEYS: {"type": "object"}}, ANY_KEYS, ANY_KEYS)


def _value(key: str, schema: Schema) -> Schema:
    if key in PARTS and "PluginRef" in str(schema):
        options = [{"$ref": f"{REFERENCE}{PARTS[key]}"}, *([{"type": "null"}] if "anyOf" in schema else [])]
        return {"description": schema.get("description", ""), "anyOf": options}
    if key == "trainer" and schema.get("type") == "object":
        return schema  # `_sections` says of which object
    return or_interpolation(schema)


def _part(kind: str, plugins: Plugins) -> dict[str, Schema]:
    """One definition for all parts of a kind: any of them, with its options."""
    tag, own = (
        ("evaluator", {"gate": {"description": GATE, "$ref": f"{REFERENCE}Gate"}})
        if kind == "evaluator"
        else ("name", {})
    )
    found: dict[str, Schema] = {}
    options = []
    for name, registered in sorted(plugins.of_kind(kind).items()):
        known, inner = fields(registered.cls.Options, f"{kind}.{name}.")
        found |= {key: partial(schema) for key, schema in inner.items()}
        about = (registered.cls.__doc__ or "").strip().partition("\n")[0]
        properties = {tag: {"const": name, "description": about or f"The {kind} `{name}`."}}
        properties |= own | {key: or_interpolation(partial(schema)) for key, schema in known.items()}
        found[f"{kind}.{name}"] = {
            "type": "object",
            "description": about,
            "properties": properties,
            "additionalProperties": False,
        }
        options.append({"$ref": f"{REFERENCE}{kind}.{name}"})
    return {**found, kind: {"anyOf": options}}


def _sections(
    properties: dict[str, Any], plugins: Plugins, found: dict[str, Schema], keys: TrainerSchema
) -> dict[str, Schema]:
    """The keys of a recipe that hold more than its types know."""
    config = {"$ref": f"{REFERENCE}{keys.keys}"}
    found["Model"]["properties"]["trainer"] |= config
    found["Dataset"]["properties"]["trainer"] |= {"$ref": f"{REFERENCE}{keys.dataset_keys}"}
    for key in ("Model", "Dataset"):
        found[key]["properties"]["trainer"].pop("additionalProperties", None)
        found[key]["properties"]["trainer"].pop("type", None)
    stages = sorted(plugins.of_kind("stage"))
    settings = {}
    for name, registered in plugins.of_kind("setting").items():
        found |= {key: partial(schema) for key, schema in definitions(registered.cls, f"setting.{name}.").items()}
        settings[name] = {"$ref": f"{REFERENCE}setting.{name}.{registered.cls.__name__}"}

    def section(key: str, **more: Any) -> Schema:
        return {"type": "object", "description": properties[key].get("description", ""), **more}

    return {
        "train": {"description": properties["train"].get("description", ""), **config},
        "optimizations": section(
            "optimizations", properties=_named(plugins, "optimizations", config), **_others(config)
        ),
        "evals": section(
            "evals", properties=_named(plugins, "evals", _reference("evaluator")), **_others(_reference("evaluator"))
        ),
        "backend": {"description": properties["backend"].get("description", ""), **_reference("backend")},
        "resources": section(
            "resources", properties={name: _reference("Resources") for name in (*stages, SERVER)}, **_others(False)
        ),
        "environment": section(
            "environment",
            properties=_named(plugins, "environment", _reference("Environment")),
            **_others(_reference("Environment")),
        ),
        "settings": section("settings", properties=settings, **_others(False)),
        "stages": {
            "description": properties["stages"].get("description", ""),
            "type": "array",
            "items": {"enum": stages},
        },
    }


def _reference(name: str) -> Schema:
    return {"$ref": f"{REFERENCE}{name}"}


def _others(schema: Any) -> Schema:
    return {"additionalProperties": schema}


def _named(plugins: Plugins, group: str, schema: Schema) -> Schema:
    """The options of a group as keys: what an editor offers."""
    return {name: {**_about(text), **schema} for name, text in _options(plugins, group).items()}


def _options(plugins: Plugins, group: str) -> dict[str, str]:
    """The names of a group's options, and what each is."""
    return {
        name: headline(folder.conf / group / f"{name}.yaml")
        for folder in plugins.config_folders()
        if folder.conf
        for name in options_of(folder, group)
    }


def _about(text: str) -> Schema:
    return {"description": f"{text}."} if text else {}


def _defaults(plugins: Plugins) -> Schema:
    choices: dict[str, Schema] = {}
    patterns: dict[str, Schema] = {}
    for group in GROUPS:
        if group == "recipe":
            continue
        one = {"anyOf": [{"const": name, **_about(text)} for name, text in _options(plugins, group).items()]}
        several = {"anyOf": [{"type": "array", "items": one}, one, {"type": "null"}]}
        about = f"Chooses {'options' if group in MANY else 'an option'} of the group `{group}`."
        choices[f"override /{group}"] = {"description": about, **(several if group in MANY else one)}
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
