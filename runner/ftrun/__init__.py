"""Fine-tuning of language models: from one YAML recipe to an evaluated, servable model.

import ftrun

run = ftrun.run("quickstart", ["train.num_epochs=2"])
print(run.evaluation)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftrun.api.hookspecs import hookimpl
    from ftrun.workflow.python_api import Run, Session, load_recipe, plan, run

__version__ = "0.1.0"
__all__ = ["Run", "Session", "__version__", "hookimpl", "load_recipe", "plan", "run"]


def __getattr__(name: str) -> Any:
    # Imported when they are used: stages in other environments import this package, and have neither pluggy nor Hydra.
    if name == "hookimpl":
        from ftrun.api.hookspecs import hookimpl

        return hookimpl
    if name in __all__:
        from ftrun.workflow import python_api

        return getattr(python_api, name)
    raise AttributeError(f"module 'ftrun' has no attribute {name!r}")
