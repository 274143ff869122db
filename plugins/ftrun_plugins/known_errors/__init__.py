"""Known errors of torch, transformers, PEFT, DeepSpeed and vLLM, for the stages that use them.

The modules of this package hold the tables. The first match counts, so special texts come before general ones.
"""

from __future__ import annotations

from ftrun.api.known_errors import KnownError
from ftrun_plugins.known_errors.engine import ENGINE_ERRORS
from ftrun_plugins.known_errors.hardware import HARDWARE_ERRORS
from ftrun_plugins.known_errors.memory import MEMORY_ERRORS
from ftrun_plugins.known_errors.models import MODEL_ERRORS
from ftrun_plugins.known_errors.training import TRAINING_ERRORS

__all__ = ["KNOWN_ERRORS"]

KNOWN_ERRORS: tuple[KnownError, ...] = (
    *ENGINE_ERRORS,
    *MEMORY_ERRORS,
    *HARDWARE_ERRORS,
    *TRAINING_ERRORS,
    *MODEL_ERRORS,
)
