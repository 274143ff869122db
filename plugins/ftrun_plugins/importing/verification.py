"""Verification of an imported recipe with the checks of `ftrun validate`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import KeyPath
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded, load
from ftrun.recipe.yaml_files import positions
from ftrun.utils.schema_messages import format_path
from ftrun_plugins.importing.draft import Entry, ImportContext, RecipeDraft


def verify(text: str, draft: RecipeDraft, context: ImportContext) -> Loaded | list[Problem]:
    """Load the recipe, or return its problems with their places in the imported file.

    The recipe is loaded from another folder than its own: no check of `load` reads the files that a recipe names.
    """
    with tempfile.TemporaryDirectory(prefix="ftrun-import-") as folder:
        file = Path(folder) / "imported.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            return load([f"recipe={file}"], plugins())
        except InvalidInput as error:
            return list(_locate(error, file, draft, context))


def _locate(error: InvalidInput, file: Path, draft: RecipeDraft, context: ImportContext) -> Iterator[Problem]:
    places = {str(position): path for path, position in positions(file).items()}
    refused = any(draft.of("refused"))
    for problem in error.problems:
        at = problem.at or ""
        path = next((path for place, path in places.items() if at.startswith(place)), ())
        entry = _find_entry(path, draft)
        if entry is None and refused:
            continue  # a key may be missing because the import refused it
        source = f"{context.file}:{entry.line}" if entry and entry.line else str(context.file)
        key = f"{entry.key}: " if entry else f"{format_path(path)} of the recipe: " if path else ""
        yield replace(problem, what=f"{key}{problem.what}", at=source)


def _find_entry(path: KeyPath, draft: RecipeDraft) -> Entry | None:
    """Return the entry whose target is the key path, or its nearest parent or child."""
    targets = {entry.target: entry for entry in draft.entries if entry.target}
    for end in range(len(path), 0, -1):
        if entry := targets.get(".".join(map(str, path[:end]))):
            return entry
    name = ".".join(map(str, path))
    return next((entry for target, entry in targets.items() if name and target.startswith(f"{name}.")), None)
