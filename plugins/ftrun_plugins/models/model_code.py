"""Python code that comes with a model: consent to it, and the classes that it would run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftrun.api.consent import ConsentItem
from ftrun.api.recipe import Recipe
from ftrun.utils.digests import digest, sha256_of
from ftrun.utils.text import truncate

KEY = ("model", "trust_remote_code")
CONFIGS = ("config.json", "tokenizer_config.json", "processor_config.json")
LONGEST = 400  # characters of a description
LARGEST = 1 << 22  # bytes of a file that is read; tokenizer_config.json can have a megabyte


def find_items(recipe: Recipe) -> Iterator[ConsentItem]:
    """Yield an item if the code of the model may run."""
    model = recipe.model
    if not model.trust_remote_code:
        return
    if model.weights.origin == "folder":
        folder = Path(model.weights.path)
        files = sorted(folder.glob("**/*.py"))
        names = describe_code(folder) or ", ".join(path.name for path in files) or "none now"
        content = digest([[path.name, sha256_of(path)] for path in files])
        yield ConsentItem(KEY, f"runs the Python code in the folder {folder}: {names}", content)
    else:
        where = f"{model.base_model} at {model.revision or 'main'}"
        yield ConsentItem(KEY, f"runs the Python code in the repository {where}")


def describe_code(folder: Path) -> str:
    """Return the classes that `auto_map` in the files of a model names, such as `modeling.Net`. Empty: none."""
    classes = [name for config in CONFIGS for name in _classes(_read_map(folder / config))]
    return truncate(", ".join(dict.fromkeys(classes)), LONGEST)


def _read_map(file: Path) -> Any:
    try:
        if file.stat().st_size > LARGEST:
            return None
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return values.get("auto_map") if isinstance(values, dict) else None


def _classes(value: Any) -> Iterator[str]:
    """Yield the names in the values of `auto_map`, which are texts or lists of texts and null."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _classes(inner) if not isinstance(inner, dict) else ()
