"""Importer of axolotl configurations."""

from __future__ import annotations

import re
from typing import Any

from ftrun_plugins.axolotl.config import schema
from ftrun_plugins.axolotl.config.build import TEMPLATE
from ftrun_plugins.axolotl.config.defaults import with_defaults
from ftrun_plugins.importing.axolotl.datasets import read_datasets
from ftrun_plugins.importing.axolotl.deepspeed import read_deepspeed
from ftrun_plugins.importing.axolotl.fsdp import read_fsdp
from ftrun_plugins.importing.axolotl.model import read_model
from ftrun_plugins.importing.axolotl.optimizations import choose_optimizations
from ftrun_plugins.importing.axolotl.trainer_keys import read_trainer_keys
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft, Recorder

NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")  # a text for PyYAML, which axolotl takes as a number


def read(values: dict[str, Any], context: ImportContext) -> RecipeDraft:
    """Return the recipe for a configuration of axolotl."""
    draft = RecipeDraft("axolotl")
    record = Recorder(draft, context)
    values = {key: _read_number(key, value) for key, value in values.items()}
    model = read_model(values, record)
    dataset = read_datasets(values, record)
    keys = read_trainer_keys(values, record)
    zero, deepspeed = read_deepspeed(values, record)
    keys |= {"deepspeed": deepspeed} if deepspeed is not None else {}
    fsdp = read_fsdp(values, record)
    keys |= {"fsdp_config": fsdp} if fsdp is not None else {}
    _move_template_variables(keys, model, record)
    _embed_template(keys, record)
    added = {key: value for key, value in with_defaults(keys).items() if key not in keys}
    recorded = {entry.key for entry in draft.entries}
    plain = [key for key in keys if key in values and key not in recorded]
    chosen, origins = choose_optimizations(keys, zero)
    for key in plain:
        record.exact((key,), f"optimizations.{origins[key]}" if key in origins else f"train.{key}")
    draft.choose("optimizations", chosen)
    draft.values |= {name: section for name, section in (("model", model), ("dataset", dataset)) if section}
    draft.values["train"] = keys
    draft.entries.sort(key=lambda entry: entry.line or 0)
    draft.notes += _describe_defaults(added)
    return draft


def _read_number(key: str, value: Any) -> Any:
    """Return a text such as `2e-4` as the number that axolotl takes it for, unless the key is one of texts."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        return value
    number = float(value)
    refused = any(issue.path[:1] == (key,) for issue in schema.check({key: number}))
    return value if refused else number


def _move_template_variables(keys: dict[str, Any], model: dict[str, Any], record: Recorder) -> None:
    """Set the variables of the chat template for the whole recipe, and not for the training alone."""
    if isinstance(keys.get(TEMPLATE), dict):
        model["template"] = keys.pop(TEMPLATE)
        record.exact((TEMPLATE,), "model.template")


def _embed_template(keys: dict[str, Any], record: Recorder) -> None:
    """Write the text of a template file in place of its path."""
    path = keys.get("chat_template_jinja")
    if not isinstance(path, str) or "\n" in path or "{" in path:
        return
    file = record.context.find(path)
    if file is None or not file.is_file():
        reason = f"`chat_template_jinja` is `{path[:80]}`, but there is no such file here"
        record.refuse(("chat_template_jinja",), reason, "run the import where the file is")
        return
    keys["chat_template_jinja"] = file.read_text(encoding="utf-8", errors="replace")
    record.changed(
        ("chat_template_jinja",), "train.chat_template_jinja", "the content of the file, in place of its path"
    )


def _describe_defaults(added: dict[str, Any]) -> list[str]:
    listed = ", ".join(
        f"{key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in added.items()
    )
    return [f"ftrun sets what the configuration does not: {listed}."] if listed else []
