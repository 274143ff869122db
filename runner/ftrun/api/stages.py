"""Protocol of stages, and the base class for the settings of a plugin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from ftrun.api.rows import Options

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall

__all__ = ["Settings", "Stage"]


class Stage(Protocol):
    """Kind of work. `plan` runs on the client and must be cheap. `run` runs in the environment of the stage.

    A stage whose calls can also run in other environments lists them in `other_environments`. A stage can name a table
    of known errors of its libraries in `known_errors`, as `module:NAME` (`ftrun.api.known_errors`). ftrun explains
    such an error instead of showing only its text.

    A call may be killed at any moment. Before the next attempt, ftrun empties the work folder of the call, except for
    the paths in `resumable`: patterns such as `out/checkpoint-*/` for folders that the stage marks as complete with
    `ftrun.api.checkpoints.mark`, and `rows.jsonl` for files that the stage can continue at any length.
    """

    name: ClassVar[str]
    version: ClassVar[int]  # to increase when a change of the code changes the output
    environment: ClassVar[str]

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        """Return the calls that the recipe needs: none, one or several, such as one per model."""
        ...

    def run(self, call: StageCall, context: StageContext) -> None:
        """Write the artifact into the folder `context.output`.

        Raises:
            InvalidInput: If the data is wrong.
        """
        ...


class Settings(Options):
    """Base class for the settings of a plugin: `settings.<name>` in a recipe. ftrun validates them with the recipe.

    Settings are not part of keys. The stages of the plugin must copy each setting that can change a result into the
    parameters of their calls.
    """

    name: ClassVar[str]
