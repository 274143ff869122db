"""What a stage is, and the settings of whoever adds one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from ftrun.api.rows import Options

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Stage(Protocol):
    """A kind of work. `plan` runs on the client and is cheap; `run` runs in the stage's environment.

    A stage whose calls may also run in other environments names them in `other_environments`.
    """

    name: ClassVar[str]
    version: ClassVar[int]  # raised when the meaning of the code changes
    environment: ClassVar[str]

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        """The calls that the recipe asks for: none, one, or e.g. one for the base and one for the tuned model."""
        ...

    def run(self, call: StageCall, context: StageContext) -> None:
        """Writes the artifact into `context.output`. Raises `InvalidInput` for bad data."""
        ...


class Settings(Options):
    """Base of a plugin's settings in a recipe: `settings.<name>`, checked like everything else.

    What of them changes a result has to be among the params of the plugin's stages.
    """

    name: ClassVar[str]
