"""Python code that comes with a model: consent to it, and the files that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ftrun.api.consent import ConsentItem
from ftrun.api.recipe import Recipe
from ftrun.utils.digests import digest, sha256_of

KEY = ("model", "trust_remote_code")


def find_items(recipe: Recipe) -> Iterator[ConsentItem]:
    """Yield an item if the code of the model may run."""
    model = recipe.model
    if not model.trust_remote_code:
        return
    if model.weights.origin == "folder":
        files = sorted(Path(model.weights.path).glob("**/*.py"))
        content = digest([[path.name, sha256_of(path)] for path in files])
        yield ConsentItem(KEY, f"runs the Python code in the folder {model.weights.path}", content)
    else:
        where = f"{model.base_model} at {model.revision or 'main'}"
        yield ConsentItem(KEY, f"runs the Python code in the repository {where}")
