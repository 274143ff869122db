"""One entry of axolotl's `datasets`: its source, its formatter, and the keys that the trainer reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ftrun.api.issues import KeyPath
from ftrun_plugins.axolotl.config import schema
from ftrun_plugins.importing.axolotl.chat_datasets import read_chat
from ftrun_plugins.importing.axolotl.prompt_types import find_formatter, find_limitation
from ftrun_plugins.importing.axolotl.sources import read_source
from ftrun_plugins.importing.axolotl.user_defined import NoTemplateError, make_template
from ftrun_plugins.importing.draft import Recorder

Kind = Literal["chat", "segments", "text"]
SHARE_HINT = "take a part of the rows instead: `split: train[:50%]`, or dataset.limit"
# Keys that axolotl's own loading reads, and ftrun's sources do not have.
NO_SOURCE: Mapping[str, tuple[str, str]] = {
    "weight": ("axolotl takes a random share of the rows with it, and ftrun's weights mix sources", SHARE_HINT),
    "shards": ("axolotl takes a random part of the rows with it", SHARE_HINT),
    "shards_idx": ("axolotl takes a random part of the rows with it", SHARE_HINT),
    "input_transform": ("ftrun runs no functions of the configuration on rows", "write a formatter in a plugin"),
}
NO_MEANING = {"preprocess_shards": "ftrun formats rows one by one, in constant memory"}
CHAT_KEYS = frozenset(
    (
        "field_messages",
        "message_property_mappings",
        "message_field_role",
        "message_field_content",
        "roles",
        "roles_to_train",
        "train_on_eos",
        "train_on_eot",
        "message_field_training",
        "message_field_training_detail",
        "field_thinking",
        "template_thinking_key",
        "split_thinking",
        "drop_system_message",
        "chat_template",
        "chat_template_jinja",
        "field_tools",
    )
)


@dataclass
class DatasetPart:
    """Source and formatter of one entry. `kind` is the kind of examples that the formatter makes."""

    kind: Kind
    source: dict[str, Any]
    formatter: dict[str, Any]
    trainer: dict[str, Any] = field(default_factory=dict)


def read_entry(entry: Any, path: KeyPath, record: Recorder, target: str) -> DatasetPart | None:
    """Return the part of the recipe for an entry, or None if it has no way in."""
    if not isinstance(entry, dict):
        record.refuse(path, "the entry is not a mapping", "write `- path: …` and `type: …`")
        return None
    entry = {key: value for key, value in entry.items() if value is not None}
    source = read_source(entry, path, record, f"{target}.source")
    formatted = _read_formatter(entry, path, record, f"{target}.formatter")
    _read_rest(entry, path, record)
    if source is None or formatted is None:
        return None
    kind, formatter, trainer = formatted
    return DatasetPart(kind, source, formatter, trainer)


def _read_formatter(
    entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str
) -> tuple[Kind, dict[str, Any], dict[str, Any]] | None:
    kind, place = entry.get("type"), (*path, "type")
    if isinstance(kind, dict):
        return _read_user_defined(kind, place, record, target)
    if kind is None or not isinstance(kind, str):
        reason = "the dataset has no `type`: axolotl expects rows of tokens, and ftrun tokenizes rows itself"
        record.refuse(place, reason, "name the texts of the rows and their type")
        return None
    if kind in ("chat_template", "chat_template.load"):
        formatter, trainer = read_chat(entry, path, record, target)
        record.exact(place, target)
        return "chat", formatter, trainer
    if kind == "sharegpt" or kind.startswith(("sharegpt.", "sharegpt:")):
        return _read_sharegpt(entry, path, record, target)
    if kind == "completion":
        return "text", _read_completion(entry, path, record, target), {}
    if kind == "input_output":
        reason = (
            "ftrun adds the begin and the end token of the model to the segments of each row, and axolotl adds none"
        )
        record.check(place, target, reason + "; remove them from the rows")
        return "segments", {"name": "segments"}, {}
    formatter_or_none = find_formatter(kind, entry.get("conversation"))
    if formatter_or_none is None:
        _refuse_type(kind, place, record)
        return None
    record.exact(place, target)
    if "conversation" in entry:
        record.exact((*path, "conversation"), target)
    return "segments", dict(formatter_or_none), {}


def _read_user_defined(
    given: Mapping[str, Any], place: KeyPath, record: Recorder, target: str
) -> tuple[Kind, dict[str, Any], dict[str, Any]] | None:
    try:
        formatter = make_template(given)
    except NoTemplateError as error:
        record.refuse(place, f"the prompt has no template in ftrun: {error}", "write dataset.formatter yourself")
        return None
    record.exact(place, target)
    return "segments", formatter, {}


def _read_sharegpt(
    entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str
) -> tuple[Kind, dict[str, Any], dict[str, Any]]:
    mapping = {"role": "from", "content": "value", **(entry.get("message_property_mappings") or {})}
    formatter, trainer = read_chat(
        {**entry, "message_property_mappings": mapping}, path, record, target, "conversations"
    )
    reason = "axolotl 0.21 has no type sharegpt any more; the recipe uses the chat template of the model"
    record.check((*path, "type"), target, reason)
    return "chat", formatter, trainer


def _read_completion(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> dict[str, Any]:
    reason = (
        "axolotl splits texts longer than sequence_len into several rows; ftrun drops or cuts them, and counts them"
    )
    record.changed((*path, "type"), target, reason)
    column = entry.get("field", "text")
    if "field" in entry:
        record.exact((*path, "field"), f"{target}.field")
    return {"name": "completion"} if column == "text" else {"name": "completion", "field": column}


def _refuse_type(kind: str, place: KeyPath, record: Recorder) -> None:
    limitation = find_limitation(kind)
    if limitation:
        record.refuse(
            place, f"ftrun has no formatter for the type `{kind}`: {limitation}", "write dataset.formatter yourself"
        )
    else:
        reason = f"ftrun does not know the type `{kind}` of axolotl's datasets for training on answers"
        record.refuse(place, reason, "for a prompt strategy of your own, write a formatter in a plugin")


def _read_rest(entry: Mapping[str, Any], path: KeyPath, record: Recorder) -> None:
    """Record the keys that have no place in a recipe."""
    kind = entry.get("type")
    is_chat = kind in ("chat_template", "chat_template.load") or str(kind).startswith("sharegpt")
    issues = [issue for issue in schema.check({"datasets": [entry]}) if issue.path[:1] == ("datasets",)]
    unknown = {issue.path[2]: issue for issue in issues if len(issue.path) == 3 and issue.code == "unknown-key"}
    for key, value in entry.items():
        if key in NO_SOURCE:
            reason, hint = NO_SOURCE[key]
            if (key, value) != ("weight", 1):
                record.refuse((*path, key), f"`{key}` is {value}, but {reason}", hint)
        elif key in NO_MEANING:
            record.leave_out((*path, key), NO_MEANING[key])
        elif issue := unknown.get(key):
            record.check((*path, key), None, "axolotl does not know this key", issue.did_you_mean)
        elif (key in CHAT_KEYS and not is_chat) or (
            key in ("field", "conversation") and (is_chat or kind not in ("completion", "alpaca_chat"))
        ):
            record.leave_out((*path, key), f"the type {kind!r} does not read it")
        elif key in ("field_human", "field_model", "input_format", "temperature", "logprobs_field"):
            record.leave_out((*path, key), "axolotl does not read it for this type")
