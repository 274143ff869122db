"""Datasets of the type `chat_template`, as the formatters `chat` and `sharegpt`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun.api.issues import KeyPath
from ftrun_plugins.axolotl.tokenize.row_tokenizer import MESSAGE_KEYS
from ftrun_plugins.data.formatters.chat_messages import REASONING_KEYS
from ftrun_plugins.data.formatters.sharegpt_turns import ROLES
from ftrun_plugins.importing.draft import Recorder

AXOLOTL_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
}
PASSED = (
    "train_on_eos",
    "train_on_eot",
    "drop_system_message",
    "split_thinking",
    "chat_template",
    "chat_template_jinja",
)
DEFAULTS = {"train_on_eos": "turn", "drop_system_message": False, "split_thinking": False}
TRAINING_KEYS = ("train", "training", "weight")  # keys of a message that ftrun reads as marks for training
THOUGHTS = "reasoning_content"


def read_chat(
    entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str, column: str = "messages"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the formatter, and the keys of `dataset.trainer`."""
    mapping = _read_mapping(entry, path, record, target)
    role, content = mapping.get("role", "role"), mapping.get("content", "content")
    roles = _read_roles(entry, path, record, target)
    column = _take_column(entry, path, record, target, column)
    plain = (role, content) == ("role", "content") and not roles
    formatter: dict[str, Any] = {"name": "chat" if plain else "sharegpt"}
    if column != ("messages" if plain else "conversations"):
        formatter["messages" if plain else "conversations"] = column
    if not plain:
        formatter |= {"role": role} if role != "from" else {}
        formatter |= {"content": content} if content != "value" else {}
    if roles:
        formatter["roles"] = roles
    if entry.get("field_tools") not in (None, "tools"):
        formatter["tools"] = entry["field_tools"]
    if "field_tools" in entry:
        record.exact((*path, "field_tools"), target)
    thoughts = _read_thoughts(entry, path, record, target)
    _check_marks(entry, path, record, target)
    return formatter, {**_read_trainer_keys(entry, path, record), **thoughts}


def _take_column(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str, default: str) -> str:
    if entry.get("field_messages") is None:
        return default
    record.exact((*path, "field_messages"), target)
    return str(entry["field_messages"])


def _read_mapping(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> dict[str, str]:
    given = entry.get("message_property_mappings") or {}
    mapping = {str(key): str(name) for key, name in given.items()} if isinstance(given, dict) else {}
    for old in ("role", "content"):
        if (name := entry.get(f"message_field_{old}")) is not None:
            mapping.setdefault(old, str(name))
            record.exact((*path, f"message_field_{old}"), target)
    renamed = {key: name for key, name in mapping.items() if key not in ("role", "content")}
    others = [key for key, name in renamed.items() if key != name or key not in MESSAGE_KEYS]
    place = (*path, "message_property_mappings")
    if others:
        reason = f"it maps `{mapping[others[0]]}` of a message to `{others[0]}`, and ftrun maps only role and content"
        record.refuse(place, reason, f"rename the key in the rows; ftrun reads {', '.join(MESSAGE_KEYS)}")
    elif "message_property_mappings" in entry:
        record.exact(place, target)
    return mapping


def _read_roles(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> dict[str, str]:
    """Return the roles that neither of the formatters knows by these names."""
    given, place = entry.get("roles"), (*path, "roles")
    if not isinstance(given, dict):
        return {}
    unknown = sorted(set(map(str, given)) - {"system", "user", "assistant", "tool"})
    if unknown:
        record.refuse(
            place, f"`{unknown[0]}` is a role that ftrun does not have", "use system, user, assistant and tool"
        )
        return {}
    record.exact(place, target)
    names = {str(name): str(role) for role, sources in given.items() for name in sources or ()}
    return {name: role for name, role in names.items() if ROLES.get(name) != role or name not in AXOLOTL_ROLES}


def _read_thoughts(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> dict[str, Any]:
    """Return the keys that give thoughts to a template that reads them under another name."""
    field, name = entry.get("field_thinking"), entry.get("template_thinking_key")
    if field in REASONING_KEYS:
        record.exact((*path, "field_thinking"), target)
    elif field is not None:
        reason = f"`field_thinking` is `{field}`, but ftrun reads thoughts of rows from {', '.join(REASONING_KEYS)}"
        record.refuse((*path, "field_thinking"), reason, "rename the key in the rows")
    if name in (None, THOUGHTS):
        if name:
            record.exact((*path, "template_thinking_key"))
        return {}
    reason = f"ftrun names thoughts {THOUGHTS}; the mapping gives them to the template as {name}, in training only"
    record.changed((*path, "template_thinking_key"), "dataset.trainer.message_property_mappings", reason)
    mapping = {name if key == THOUGHTS else key: key for key in MESSAGE_KEYS}
    return {"template_thinking_key": name, "message_property_mappings": mapping}


def _check_marks(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> None:
    name, place = entry.get("message_field_training"), (*path, "message_field_training")
    if name in TRAINING_KEYS:
        record.exact(place, target)
    elif name is not None:
        reason = f"ftrun reads marks for training from {', '.join(TRAINING_KEYS)}, not from `{name}`"
        record.refuse(place, reason, "rename the key in the rows")
    if entry.get("message_field_training_detail") is not None:
        reason = "ftrun trains a whole message or none of it"
        record.refuse((*path, "message_field_training_detail"), reason, "use the formatter `segments`")


def _read_trainer_keys(entry: Mapping[str, Any], path: KeyPath, record: Recorder) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for key in PASSED:
        value = entry.get(key)
        if value is None:
            continue
        if value == DEFAULTS.get(key):
            record.exact((*path, key))
        else:
            keys[key] = value
            record.exact((*path, key), f"dataset.trainer.{key}")
    if isinstance(roles := entry.get("roles_to_train"), list):
        own = {name: role for role, names in (entry.get("roles") or {}).items() for name in names or ()}
        known = own or AXOLOTL_ROLES
        trained = list(dict.fromkeys(str(known.get(name, name)) for name in roles))
        if trained != ["assistant"]:
            keys["roles_to_train"] = trained
        record.exact((*path, "roles_to_train"), "dataset.trainer.roles_to_train" if trained != ["assistant"] else None)
    return keys
