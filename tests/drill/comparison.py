"""Compares a run that was killed and resumed with one that nothing disturbed."""

from __future__ import annotations

import hashlib

from helpers.workplace import Workplace


def differences(calm: Workplace, workplace: Workplace) -> list[str]:
    """Return what the last run of a workplace left otherwise than a calm run: numbers, weights, half artifacts."""
    found = [f"half artifact {name}" for name in workplace.half_artifacts()]
    if not workplace.runs():
        return [*found, "there is no run"]
    try:
        if workplace.evaluation() != calm.evaluation():
            found.append(f"evaluation {workplace.evaluation()}, of the calm run {calm.evaluation()}")
        if _adapter(workplace) != _adapter(calm):
            found.append("the adapter is another than the calm run's")
    except (OSError, KeyError) as error:
        return [*found, f"the run left no result: {error}"]
    differing = [step for step, losses in workplace.losses().items() if losses != calm.losses().get(step)]
    if differing:
        found.append(f"other losses than in the calm run at the steps {differing}")
    return found


def _adapter(workplace: Workplace) -> str:
    return hashlib.sha256((workplace.artifact("train") / "adapter_model.safetensors").read_bytes()).hexdigest()
