"""Consent of the user to what a recipe from elsewhere would run or send, once per content.

Consents are files in the configuration folder of the user. They are not in the store, which other users may share, and
not in the recipe, which asks for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ftrun.api.consent import ConsentItem
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import KeyPath
from ftrun.api.paths import RunFolder
from ftrun.api.recipe import Recipe
from ftrun.api.redaction import redact_all
from ftrun.plugins.manager import Plugins
from ftrun.recipe.compose import Composed
from ftrun.recipe.consent_items import find_consent_items, is_overridden, is_shipped
from ftrun.recipe.load import Loaded
from ftrun.store import runs
from ftrun.store.run_plan import read_recipe
from ftrun.utils.atomic_io import write_json
from ftrun.utils.text import dotted

HINT = "if you trust it, run the command once with --trust; ftrun asks again only for something else"


def consent_folder() -> Path:
    """Return the folder of the files with consents, one for each item."""
    from platformdirs import user_config_path

    return user_config_path("ftrun") / "trust"


def require_consent(loaded: Loaded, plugins: Plugins, trust: bool) -> None:
    """Check that the user consents to everything that a recipe asks for, before any of it happens.

    Args:
        loaded: The recipe and the origins of its values. Values of overrides and of installed packages need no consent.
        plugins: Plugins that know what their parts of a recipe run and send.
        trust: True to consent to everything that the recipe asks for.

    Raises:
        InvalidInput: If consent is missing. The error has one problem for each item.
    """
    origins = loaded.origins()

    def find_origin(path: KeyPath) -> str | None:
        place = loaded.composed.origin(path)
        return origins.get(dotted(path)) or (str(place) if place else None)

    _require(loaded.recipe, loaded.composed, find_origin, plugins, trust)


def require_recorded_consent(folder: RunFolder, plugins: Plugins, trust: bool) -> None:
    """Check the consent to a recorded recipe. Another user of the store may have written the record.

    Raises:
        InvalidInput: If consent is missing.
    """
    recipe, origins = read_recipe(folder), runs.load(folder).origins
    composed = Composed(recipe.model_dump(mode="json"), (), ())
    _require(recipe, composed, lambda path: origins.get(dotted(path)), plugins, trust)


def _require(
    recipe: Recipe, composed: Composed, find_origin: Callable[[KeyPath], str | None], plugins: Plugins, trust: bool
) -> None:
    items = find_consent_items(recipe, plugins)
    folders = plugins.config_folders() if items else []
    asked = [item for item in items if not is_shipped(item.path, composed, folders)]
    allowed = [item for item in asked if trust or is_overridden(item.path, composed)]
    _remember(allowed, find_origin)
    missing = [item for item in asked if item not in allowed and not _is_remembered(item)]
    if missing:
        raise InvalidInput([_make_problem(item, find_origin(item.path)) for item in missing])


def _make_problem(item: ConsentItem, at: str | None) -> Problem:
    return Problem("needs-consent", f"the recipe {item.what}", at, hint=HINT)


def _is_remembered(item: ConsentItem) -> bool:
    """Return whether the user has a consent. A file of another user is none."""
    try:
        return (consent_folder() / item.digest).stat().st_uid == os.getuid()
    except OSError:
        return False


def _remember(items: Iterable[ConsentItem], find_origin: Callable[[KeyPath], str | None]) -> None:
    for item in items:
        if not _is_remembered(item):
            with suppress(OSError):  # without a home that can be written, the consent is for this command
                consent_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
                values = {"what": item.what, "at": find_origin(item.path)}
                write_json(consent_folder() / item.digest, redact_all(values))
