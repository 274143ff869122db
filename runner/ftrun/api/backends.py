"""Base class of backends, which run stage calls."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.options import Options
from ftrun.api.secrets import HUB, read_secret, variables_of

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
    """Hardware of a stage, as far as it can change the result.

    Args:
        accelerator: The kind of processor.
        processes: The number of processes.
        description: A description for messages.
        kinds: Names of the GPUs that the stage may get, such as `H100`. Empty without GPUs.
    """

    accelerator: Literal["cpu", "gpu"]
    processes: int = 1
    description: str = ""
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallEstimate:
    """Estimated cost of one call.

    Args:
        label: The label of the call.
        hardware: A description of the hardware.
        seconds: The run time in seconds, minimum and maximum. None if unknown.
        price: The price in US dollars per second of the most expensive hardware that the call may get.
        usd: The cost in US dollars, minimum and maximum. None if unknown.
        unknown: Hardware without a known price.
    """

    label: str
    hardware: str
    seconds: tuple[float, float] | None
    price: float
    usd: tuple[float, float] | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """Estimated cost of several calls.

    Args:
        calls: The estimates of the calls.
        low: The minimum cost in US dollars.
        high: The maximum cost in US dollars. None if unknown.
        prices: The date of the prices.
        uploads: Files that must be uploaded, with their sizes in bytes.
    """

    calls: tuple[CallEstimate, ...]
    low: float
    high: float | None
    prices: str
    uploads: tuple[tuple[str, int], ...] = ()


class Runner(Protocol):
    """Runner of stage calls on the machine of the scheduler."""

    def capacity(self) -> tuple[float, int]:
        """Return the number of cores and of GPUs that concurrent calls share."""
        ...

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        """Run a call to its end, or wait for another process that works on the same key."""
        ...


class Backend(ABC):
    """Base class of a place where stage calls run. A backend must implement the abstract methods."""

    name: ClassVar[str]
    Options: ClassVar[type[Options]] = Options

    @abstractmethod
    def __init__(self, options: Any, environments: Mapping[str, Environment], store: Store) -> None:
        """Store the options (an instance of `Options` of the class), the environments of the recipe, and the store."""

    @abstractmethod
    def hardware(self, stage: str, resources: Resources) -> Hardware:
        """Return the hardware of a stage.

        Raises:
            InvalidInput: If the machine lacks the requested hardware.
        """

    @abstractmethod
    def environment_digest(self, name: str) -> str:
        """Return a digest of the packages in an environment. It is part of the keys of the calls that run in it."""

    @abstractmethod
    def cached(self, calls: Sequence[StageCall]) -> set[str]:
        """Return the keys of the calls whose artifacts exist."""

    @abstractmethod
    def runner(self) -> Runner:
        """Return the runner of stage calls on this machine.

        Raises:
            InvalidInput: If the backend runs stage calls only on other machines.
        """

    # --- environments on this machine

    def environment_ready(self, name: str) -> bool:
        """Return whether a call can start without waiting for its environment."""
        return True

    def environment_python(self, name: str) -> Path:
        """Return the interpreter of an environment on this machine, even if it is not installed yet."""
        what = f"the environment `{name}` of the backend `{self.name}` has no interpreter on this machine"
        raise InvalidInput(Problem("usage", what))

    def prepare(self, name: str, progress: Callable[[str], None]) -> None:
        """Install an environment if it is not installed yet. `progress` gets lines for the user."""
        return

    # --- machine, cost, secrets

    def cores(self) -> float:
        """Return the number of cores of the machine that runs a stage."""
        return float(os.cpu_count() or 1)

    def estimate(self, calls: Sequence[StageCall], seconds: Mapping[str, float]) -> Estimate | None:
        """Return the cost of calls. None if they cost nothing. `seconds` are the run times of earlier runs by label."""
        return None

    def has_secret(self, name: str) -> bool:
        """Return whether the secret with this name is set for stages."""
        return bool(read_secret(name))

    def secret_advice(self, name: str) -> str:
        """Return the command that sets a secret."""
        return f"export {variables_of(name)[0]}=…" + (", or hf auth login" if name == HUB else "")

    # --- runs on other machines

    @classmethod
    def account(cls) -> Remote | None:
        """Return the remote of the account of this machine, with default options. None if there is no account.

        Must be fast.
        """
        return None

    @property
    def remote(self) -> Remote | None:
        """Remote to which runs are submitted. None if the scheduler runs on this machine."""
        return None
