"""Checks a trainer configuration against the schema of the pinned axolotl, which itself ignores unknown keys.

`schema.json` is written by `tools/export_trainer_schema.py`. Nothing here imports axolotl.
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
from ftrun_plugins.axolotl.config.schema_validator import MOST_FINDINGS, Comparison

__all__ = ["Issue", "check", "known_keys", "plugin_classes", "trainer_version"]

# axolotl picks the kind of `datasets` by `rl` and silently drops the keys of the others (`validate_config`).
PREFERENCE_DATASETS = {"dpo": "DPODataset", "ipo": "DPODataset", "simpo": "DPODataset", "kto": "KTODataset"}
OTHER_DATASETS = ("SFTDataset", "SyntheticDataset")


def check(config: Mapping[str, object]) -> list[Issue]:
    """Finds everything that is wrong with a whole configuration, as it would be given to axolotl.

    Returns:
        The findings in the order of the document, missing keys last, at most 50.
    """
    schema = _load()
    comparison = Comparison(schema["$defs"], partial(_remarks, plugin_classes(config)))
    return list(islice(comparison.findings(config, _for_this_loss(schema, config)), MOST_FINDINGS))


def known_keys() -> frozenset[str]:
    """Returns the top-level keys, those of axolotl's own plugins included."""
    return frozenset(_load()["properties"])


def trainer_version() -> str:
    """Returns the version of axolotl that the schema was exported from."""
    return str(_load()["x-axolotl"])


@cache
def _load() -> Schema:
    schema: Schema = json.loads(FilePath(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    return schema


def _for_this_loss(schema: Schema, config: Mapping[str, object]) -> Schema:
    """The schema with the kinds of dataset that axolotl would read under this `rl`, and no other."""
    loss = config.get("rl")
    preference = PREFERENCE_DATASETS.get(loss) if isinstance(loss, str) else None
    kinds = [preference] if preference else OTHER_DATASETS
    items = {"anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds]}
    datasets = {"anyOf": [{"type": "array", "minItems": 1, "items": items}, {"type": "null"}]}
    return {**schema, "properties": {**schema["properties"], "datasets": datasets}}


def plugin_classes(config: Mapping[str, object]) -> frozenset[str]:
    """Return the class names under `plugins`: axolotl takes `a.b.C`, `a.b:C` and names without its own prefix."""
    plugins = config.get("plugins")
    if not isinstance(plugins, (list, tuple)):
        return frozenset()
    return frozenset(re.split(r"[.:]", plugin)[-1] for plugin in plugins if isinstance(plugin, str))


def _remarks(plugins: frozenset[str], path: Path, value: object, schema: Schema) -> Iterator[Issue]:
    """What the schema's own marks say about a key that is set."""
    if mark := schema.get("x-deprecated"):
        yield _deprecated(path, value, mark)
    plugin = schema.get("x-plugin")
    if plugin and plugin.rpartition(".")[2] not in plugins:
        needed = f"plugins: [{plugin}]"
        yield Issue("no-effect", path, f"`{format_path(path)}` has no effect without `{needed}`", needed, ())


def _deprecated(path: Path, value: object, mark: Schema) -> Issue:
    state = "no longer works" if mark.get("removed") else "is deprecated"
    instead = [] if value is False else mark["use"]  # what was switched off needs no replacement
    advice = "use " + " and ".join(f"`{name}`" for name in instead) if instead else "leave it out"
    names = tuple(name.partition(":")[0] for name in mark["use"])
    what = f"`{format_path(path)}` {state}: {advice}"
    return Issue("unsupported-key", path, what, " and ".join(instead) or None, names)
