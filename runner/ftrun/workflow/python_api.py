"""The functions of `import ftrun`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.workflow.runs import Listen, Run, create_run
from ftrun.workflow.session import Session, open_session

__all__ = ["Run", "Session", "load_recipe", "plan", "run"]


def load_recipe(recipe: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Compose and check a recipe.

    Args:
        recipe: The name of a recipe, or the path of a recipe file.
        overrides: Overrides as on the command line, such as `train.num_epochs=2`.

    Raises:
        InvalidInput: With every problem of the recipe.
    """
    return load(_overrides(recipe, overrides), plugins()).recipe


def plan(recipe: str | Path, overrides: Sequence[str] = (), *, trust: bool = False) -> Session:
    """Plan a recipe without running anything.

    Args:
        recipe: The name of a recipe, or the path of a recipe file.
        overrides: Overrides as on the command line.
        trust: Consent to code and hosts that the recipe names, as `--trust` on the command line.

    Returns:
        A session: `plan` has the stage calls, `missing` those that would run, `estimate` what they would cost.

    Raises:
        InvalidInput: If the recipe is wrong, or something that it names does not exist.
    """
    return open_session(_overrides(recipe, overrides), trust)


def run(
    recipe: str | Path, overrides: Sequence[str] = (), *, on_event: Listen | None = None, trust: bool = False
) -> Run:
    """Run a recipe to its end, on this machine or on the backend that it names.

    Stage calls whose artifacts exist do not run again.

    Args:
        recipe: The name of a recipe, or the path of a recipe file.
        overrides: Overrides as on the command line.
        on_event: Called for each event of the run, in another thread.
        trust: Consent to code and hosts that the recipe names, as `--trust` on the command line.

    Raises:
        FtrunError: If the recipe is wrong, or the run fails, is stopped or does not meet a gate.
    """
    created = create_run(plan(recipe, overrides, trust=trust))
    if created.remote is None:
        created.execute(on_event=on_event)
    else:
        created.remote.submit(created.folder, lambda text: None)
        created.follow(on_event)
    return created


def _overrides(recipe: str | Path, overrides: Sequence[str]) -> list[str]:
    return [f"recipe={recipe}", *overrides]
