"""Check a trainer configuration against the schema of the pinned axolotl, which itself ignores unknown keys.

`tools/export_trainer_schema.py` writes `schema.json`. This module does not import axolotl.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import islice
from pathlib import Path as FilePath

from ftrun.api.issues import Issue
from ftrun.utils.schema_messages import Path, Schema, format_path
from ftrun_plugins.axolotl.config.schema_validator import MAX_ISSUES, SchemaValidator

__all__ = ["Issue", "check", "known_keys", "plugin_classes", "trainer_version"]

# axolotl selects the type of `datasets` by `rl` and silently drops the keys of other types (`validate_config`).
PREFERENCE_DATASETS = {"dpo": "DPODataset", "ipo": "DPODataset", "simpo": "DPODataset", "kto": "KTODataset"}
OTHER_DATASETS = ("SFTDataset", "SyntheticDataset")


def check(config: Mapping[str, object]) -> list[Issue]:
    """Find everything that is wrong with a whole configuration, in the form that axolotl reads.

    Returns:
        At most 50 issues in the order of the document, missing keys last.
    """
    schema = _load()
    validator = SchemaValidator(schema["$defs"], partial(_check_marks, plugin_classes(config)))
    return list(islice(validator.find_issues(config, _select_datasets(schema, config)), MAX_ISSUES))


def known_keys() -> frozenset[str]:
    """Return the top-level keys, including those of axolotl's own plugins."""
    return frozenset(_load()["properties"])


@cache
def deprecated_keys() -> dict[str, tuple[str, ...]]:
    """Return the deprecated top-level keys, each with what to use instead, such as `attn_implementation: sdpa`."""
    marks = {key: rule.get("x-deprecated") for key, rule in _load()["properties"].items()}
    return {key: tuple(mark["use"]) for key, mark in marks.items() if mark}


def default_of(key: str) -> object:
    """Return the default value of a top-level key, or None if the key has none."""
    return _load()["properties"].get(key, {}).get("default")


def trainer_version() -> str:
    """Return the version of axolotl that the schema was exported from."""
    return str(_load()["x-axolotl"])


@cache
def _load() -> Schema:
    schema: Schema = json.loads(FilePath(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    return schema


def _select_datasets(schema: Schema, config: Mapping[str, object]) -> Schema:
    """Return the schema with only those types of `datasets` that axolotl reads with the configured `rl`."""
    loss = config.get("rl")
    preference = PREFERENCE_DATASETS.get(loss) if isinstance(loss, str) else None
    kinds = [preference] if preference else OTHER_DATASETS
    items = {"anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds]}
    datasets = {"anyOf": [{"type": "array", "minItems": 1, "items": items}, {"type": "null"}]}
    return {**schema, "properties": {**schema["properties"], "datasets": datasets}}


def plugin_classes(config: Mapping[str, object]) -> frozenset[str]:
    """Return the class names under `plugins`. axolotl accepts `a.b.C`, `a.b:C` and names without its own prefix."""
    plugins = config.get("plugins")
    if not isinstance(plugins, (list, tuple)):
        return frozenset()
    return frozenset(re.split(r"[.:]", plugin)[-1] for plugin in plugins if isinstance(plugin, str))


def _check_marks(plugins: frozenset[str], path: Path, value: object, schema: Schema) -> Iterator[Issue]:
    """Yield an issue if a key that is set is deprecated, or needs a plugin that is not listed."""
    if mark := schema.get("x-deprecated"):
        yield _report_deprecation(path, value, mark)
    plugin = schema.get("x-plugin")
    if plugin and plugin.rpartition(".")[2] not in plugins:
        needed = f"plugins: [{plugin}]"
        yield Issue("no-effect", path, f"`{format_path(path)}` has no effect without `{needed}`", needed, ())


def _report_deprecation(path: Path, value: object, mark: Schema) -> Issue:
    state = "no longer works" if mark.get("removed") else "is deprecated"
    instead = [] if value is False else mark["use"]  # a feature that is switched off needs no replacement
    advice = "use " + " and ".join(f"`{name}`" for name in instead) if instead else "leave it out"
    names = tuple(name.partition(":")[0] for name in mark["use"])
    what = f"`{format_path(path)}` {state}: {advice}"
    return Issue("unsupported-key", path, what, " and ".join(instead) or None, names)
