"""What runs stage calls, here or elsewhere, and what it says of machines and costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from ftrun.api.rows import Options

if TYPE_CHECKING:
    from ftrun.api.cancellation import StopSignal
    from ftrun.api.events import Event
    from ftrun.api.outcome import StageOutcome
    from ftrun.api.paths import RunFolder, Store
    from ftrun.api.recipe import Environment, Recipe, Resources
    from ftrun.api.serving_spec import Endpoint, Serving
    from ftrun.api.stage_call import Ref, StageCall
    from ftrun.store.artifacts import StoredFile


@dataclass(frozen=True)
class CheckResult:
    """What `ftrun doctor` says of one thing.

    Args:
        what: Its name.
        well: Whether it is there and works.
        detail: What was found, without secrets.
        needed: Whether the recipe cannot run without it; then the command fails where it is not well.
        hint: What the user can do about it.
    """

    what: str
    well: bool
    detail: str
    needed: bool = True
    hint: str | None = None


@dataclass(frozen=True)
class DoctorCheck:
    """A look at something that runs need. It runs in a thread of its own, and is left behind after `seconds`.

    What it has yielded by then is told; `needed` is for the case that nothing came.
    """

    name: str
    look: Callable[[], Iterable[CheckResult]]
    needed: bool = True
    seconds: float = 8.0


@dataclass(frozen=True)
class Hardware:
    """What a stage will run on, as far as it changes the result."""

    accelerator: Literal["cpu", "gpu"]
    processes: int = 1
    description: str = ""


@dataclass(frozen=True)
class CallEstimate:
    """What one call would take: seconds and US dollars, from low to high; None where it cannot be known."""

    label: str
    hardware: str
    seconds: tuple[float, float] | None
    price: float  # US dollars a second, of the dearest that it may get
    usd: tuple[float, float] | None
    unknown: tuple[str, ...] = ()  # what has no known price


@dataclass(frozen=True)
class Estimate:
    """What calls would cost in all: at least `low`; at most `high` as far as it can be known."""

    calls: tuple[CallEstimate, ...]
    low: float
    high: float | None
    prices: str  # of when the prices are
    uploads: tuple[tuple[str, int], ...] = ()  # files that are not there yet, with bytes


class Runner(Protocol):
    """Runs stage calls where the scheduler runs."""

    def capacity(self) -> tuple[float, int]:
        """Cores and GPUs that calls running at one time share."""
        ...

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        """Runs one call to its end, or waits for whoever runs it already."""
        ...


class Backend(Protocol):
    """What runs stage calls."""

    name: ClassVar[str]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def __init__(self, options: Any, environments: Mapping[str, Environment], store: Store) -> None: ...

    @classmethod
    def account(cls) -> Remote | None:
        """The machine elsewhere that this one has an account for, with default options; light where it has none."""
        ...

    def hardware(self, stage: str, resources: Resources) -> Hardware:
        """What the stage will get. Raises `InvalidInput` where the machine lacks what is asked for."""
        ...

    def cores(self) -> float:
        """Cores of the machine that a stage runs on."""
        ...

    def environment_digest(self, name: str) -> str:
        """Identifies the packages in an environment; enters the keys of the calls that run in it."""
        ...

    def environment_ready(self, name: str) -> bool:
        """Whether the environment is there already, so that no call has to wait for it."""
        ...

    def environment_python(self, name: str) -> Path:
        """The interpreter of an environment, whether it is made yet or not."""
        ...

    def prepare(self, name: str, progress: Callable[[str], None]) -> None:
        """Makes an environment real, once; `progress` gets lines for a person."""
        ...

    def cached(self, calls: Sequence[StageCall]) -> set[str]:
        """Keys of those calls whose artifacts are there already."""
        ...

    def estimate(self, calls: Sequence[StageCall], seconds: Mapping[str, float]) -> Estimate | None:
        """What calls would cost; None where nothing costs. `seconds` are those of earlier runs, by label."""
        ...

    def has_secret(self, name: str) -> bool:
        """Whether stages would find the secret of this name (`ftrun.api.secrets`)."""
        ...

    def secret_advice(self, name: str) -> str:
        """The command that makes a secret known."""
        ...

    @property
    def remote(self) -> Remote | None:
        """The machine elsewhere that runs go to; None where the scheduler runs here."""
        ...

    def runner(self) -> Runner:
        """What runs stage calls here. Raises `InvalidInput` where that is only done elsewhere."""
        ...


class Remote(Protocol):
    """Runs on machines elsewhere, seen from here; their folders in this machine's store are copies of theirs."""

    @property
    def place(self) -> str:
        """Where artifacts are kept there, for a person."""
        ...

    def submit(self, folder: RunFolder, progress: Callable[[str], None]) -> None:
        """Hands a run over; when this returns, the run no longer needs this process."""
        ...

    def refresh(self, folder: RunFolder) -> None:
        """Makes the copy of a run's record, events and logs, or brings it up to date, whoever began the run."""
        ...

    def follow(self, folder: RunFolder) -> Iterator[Event]:
        """Events as they come, from the run's beginning to its end."""
        ...

    def cancel(self, folder: RunFolder, now: bool) -> None:
        """Stops a run, with a checkpoint unless it has to be `now`; returns once nothing of it runs."""
        ...

    def known(self) -> Sequence[str]:
        """Ids of all runs there, also of those that another machine began."""
        ...

    def remove(self, folder: RunFolder) -> None:
        """Removes the record, events and logs of a run that is over; what it made stays there."""
        ...

    def files(self, ref: Ref) -> Sequence[StoredFile]:
        """The files of an artifact. Raises `InvalidInput` where it is not there."""
        ...

    def pull(self, ref: Ref, target: Path, progress: Callable[[float, float], None]) -> None:
        """Copies an artifact into a folder of this machine; `progress` gets bytes done and in all."""
        ...

    def read(self, ref: Ref, name: str) -> bytes | None:
        """A small file of an artifact; None where there is none."""
        ...

    def push(self, ref: Ref, folder: Path, progress: Callable[[str], None]) -> None:
        """Copies an artifact of this machine there, where it is not there yet."""
        ...

    def serve(self, serving: Serving, recipe: Recipe, progress: Callable[[str], None]) -> Endpoint:
        """A server that goes on without this process; the one that the run has already, if it has one."""
        ...

    def servers(self) -> Sequence[Endpoint]:
        """The servers there, of whichever runs."""
        ...

    def stop_server(self, run: str) -> None:
        """Stops the server of a run. Raises `InvalidInput` where it has none."""
        ...
