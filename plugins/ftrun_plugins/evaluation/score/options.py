"""Options of an evaluator in the parameters of a call, with digests in place of paths, which must not change keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.recipe_files import read_recipe_file

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner


def plan_options(
    evaluator: Any, options: Mapping[str, Any], planner: Planner
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return the options with digests in place of paths, and the paths by digest.

    Raises:
        InvalidInput: If a file does not exist or cannot be read.
    """
    parsed, planned, files = evaluator.Options.model_validate(options), dict(options), dict[str, Path]()
    for name in options:
        path = getattr(parsed, name, None)
        if isinstance(path, Path):
            read_recipe_file(path)
            digest = planner.digests.file(path)
            planned[name], files[digest] = digest, path
    return planned, files


def load_options(evaluator: Any, options: Mapping[str, Any], context: StageContext) -> Any:
    """Return the options with paths in place of digests."""
    known = {
        name: str(context.file(value)) if isinstance(value, str) and value in context.files else value
        for name, value in options.items()
    }
    return type(evaluator).Options.model_validate(known)
