"""The base class of backends, which run stage calls."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.options import Options
from ftrun.api.secrets import variables_of

if TYPE_CHECKING:
    from ftrun.api.cancellation import StopSignal
    from ftrun.api.outcome import StageOutcome
    from ftrun.api.paths import RunFolder, Store
    from ftrun.api.recipe import Environment, Resources
    from ftrun.api.remote import Remote
    from ftrun.api.stage_call import StageCall

__all__ = ["Backend", "CallEstimate", "Estimate", "Hardware", "Runner"]


@dataclass(frozen=True)
class Hardware:
    """The hardware of a stage, as far as it changes the result."""

    accelerator: Literal["cpu", "gpu"]
    processes: int = 1
    description: str = ""


@dataclass(frozen=True)
class CallEstimate:
    """The estimated cost of one call: seconds and US dollars, from low to high; None if unknown."""

    label: str
    hardware: str
    seconds: tuple[float, float] | None
    price: float  # US dollars a second, of the most expensive hardware that it may get
    usd: tuple[float, float] | None
    unknown: tuple[str, ...] = ()  # hardware without a known price


@dataclass(frozen=True)
class Estimate:
    """The estimated cost of several calls: at least `low`; at most `high`, if that is known."""

    calls: tuple[CallEstimate, ...]
    low: float
    high: float | None
    prices: str  # date of the prices
    uploads: tuple[tuple[str, int], ...] = ()  # files that have to be uploaded, with bytes


class Runner(Protocol):
    """Runs stage calls on the machine of the scheduler."""

    def capacity(self) -> tuple[float, int]:
        """Return the cores and GPUs that simultaneous calls share."""
        ...

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        """Run a call to its end, or wait for another process that works on its key."""
        ...


class Backend(ABC):
    """A place where stage calls run. A new backend implements the four abstract methods."""

    name: ClassVar[str]
    Options: ClassVar[type[Options]] = Options

    @abstractmethod
    def __init__(self, options: Any, environments: Mapping[str, Environment], store: Store) -> None:
        """Keep `options`, an instance of the class's `Options`, the environments of the recipe, and the store."""

    @abstractmethod
    def hardware(self, stage: str, resources: Resources) -> Hardware:
        """Return the hardware that a stage gets. Raises `InvalidInput` if the machine lacks what is requested."""

    @abstractmethod
    def environment_digest(self, name: str) -> str:
        """Return a digest of the packages in an environment. It is in the keys of the calls that run there."""

    @abstractmethod
    def cached(self, calls: Sequence[StageCall]) -> set[str]:
        """Return the keys of the calls whose artifacts exist."""

    @abstractmethod
    def runner(self) -> Runner:
        """Return what runs stage calls here. Raises `InvalidInput` if this backend runs them only elsewhere."""

    # --- environments on this machine

    def environment_ready(self, name: str) -> bool:
        """Return whether a call need not wait for its environment."""
        return True

    def environment_python(self, name: str) -> Path:
        """Return the interpreter of an environment on this machine, even if it is not installed yet."""
        what = f"the environment `{name}` of the backend `{self.name}` has no interpreter on this machine"
        raise InvalidInput(Problem("usage", what))

    def prepare(self, name: str, progress: Callable[[str], None]) -> None:
        """Install an environment, once. `progress` gets lines for a person."""
        return

    # --- machine, money, secrets

    def cores(self) -> float:
        """Return the number of cores of the machine that a stage runs on."""
        return float(os.cpu_count() or 1)

    def estimate(self, calls: Sequence[StageCall], seconds: Mapping[str, float]) -> Estimate | None:
        """Return the cost of calls; None if nothing costs. `seconds` are the times of earlier runs, by label."""
        return None

    def has_secret(self, name: str) -> bool:
        """Return whether stages would find the secret of this name."""
        return any(os.environ.get(variable) for variable in variables_of(name))

    def secret_advice(self, name: str) -> str:
        """Return the command that sets a secret."""
        return f"export {variables_of(name)[0]}=…"

    # --- runs elsewhere

    @classmethod
    def account(cls) -> Remote | None:
        """Return the remote of this machine's account with default options; None if there is no account. Light."""
        return None

    @property
    def remote(self) -> Remote | None:
        """The remote that runs are submitted to; None if the scheduler runs on this machine."""
        return None
