"""The base model of an axolotl configuration: an option of the group `model`, or the section `model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun_plugins.importing.draft import Recorder
from ftrun_plugins.importing.options import read_options

MODEL_KEYS = ("base_model", "revision_of_model", "trust_remote_code", "base_model_config", "tokenizer_config")


def read_model(values: Mapping[str, Any], record: Recorder) -> dict[str, Any]:
    """Return the section `model`. Choose an option of the group if it has this model and changes nothing else."""
    name = values.get("base_model")
    if not isinstance(name, str) or not name:
        record.refuse(("base_model",), "`base_model` is not the name of a model", "name a model of the hub or a folder")
        return {}
    section: dict[str, Any] = {}
    found = record.context.find(name)
    if (found and found.is_dir()) or name.startswith((".", "/", "~")):
        section = {
            "base_model": name.rstrip("/"),
            "weights": {"origin": "folder", "path": record.context.relative(name)},
        }
        if found is None:
            record.check(("base_model",), "model.weights", "the folder is not here; paths are relative to the recipe")
        else:
            record.exact(("base_model",), "model.weights")
    elif option := _find_option(name, values):
        record.draft.choose("model", option)
        record.exact(("base_model",), f"model={option}")
    else:
        section = {"base_model": name}
        record.exact(("base_model",), "model.base_model")
    if revision := values.get("revision_of_model"):
        section["revision"] = str(revision)
        record.exact(("revision_of_model",), "model.revision")
    if isinstance(values.get("trust_remote_code"), bool):
        section |= {"trust_remote_code": True} if values["trust_remote_code"] else {}
        record.exact(("trust_remote_code",), "model.trust_remote_code" if values["trust_remote_code"] else None)
    for key in ("base_model_config", "tokenizer_config"):
        if values.get(key) == name:
            record.exact((key,))
    return section


def _find_option(name: str, values: Mapping[str, Any]) -> str | None:
    """Return the option with this model if its revision, trainer keys and context fit the configuration."""
    for option, model in read_options("model").items():
        fits = all(values.get(key) == value for key, value in (model.get("trainer") or {}).items())
        length = values.get("sequence_len")
        is_short = not isinstance(length, int) or length <= model.get("context_length", length)
        unpinned = not {"revision", "weights", "defaults"} & model.keys()
        if model.get("base_model") == name and fits and unpinned and is_short:
            return option
    return None
