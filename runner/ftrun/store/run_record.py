"""Run record: the type of `run.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from ftrun.api.stored_files import Finite, StoredModel, Timestamp

Status = Literal["waiting", "running", "done", "failed", "gate_not_met", "interrupted"]
OPEN: tuple[Status, ...] = ("waiting", "running")  # of a run that has not ended

ArtifactName = Annotated[str, Field(pattern=r"^[\w.-]*\w[\w.-]*/\w+$")]  # STAGE/KEY; no path that leaves the store
Seconds = Annotated[Finite, Field(ge=0)]


@with_config(ConfigDict(extra="allow"))
class Git(TypedDict, total=False):
    """State of the repository that the command ran in."""

    commit: str | None
    changed: bool


@with_config(ConfigDict(extra="allow"))
class CallHardware(TypedDict, total=False):
    """Hardware that a call asked for."""

    cores: Finite | None
    gpus: int | None


@with_config(ConfigDict(extra="allow"))
class Facts(TypedDict, total=False):
    """Versions, git state, hardware and environments of a run."""

    ftrun: str
    code: str
    python: str
    platform: str
    versions: dict[str, str]
    packages: dict[str, str]
    command: list[str]
    folder: str
    git: Git | None
    hardware: dict[str, CallHardware]
    environments: dict[str, str]


@with_config(ConfigDict(extra="allow"))
class CallFacts(TypedDict, total=False):
    """Versions and hardware of one call."""

    python: str | None
    machine: str | None
    versions: dict[str, str] | None
    peak_memory: Finite | None


@with_config(ConfigDict(extra="allow"))
class CallResult(TypedDict):
    """Result of a call that has an artifact."""

    artifact: ArtifactName
    seconds: Seconds
    metrics: dict[str, Any]
    facts: NotRequired[CallFacts]
    cost: NotRequired[Finite]
    billed_seconds: NotRequired[Finite]
    cost_without: NotRequired[list[str]]


@with_config(ConfigDict(extra="allow"))
class RecordedProblem(TypedDict, total=False):
    """Problem with which a run ended. Old records have other names of its fields."""

    code: str
    what: str
    at: str | None
    where: str | None
    expected: str | None
    did_you_mean: Sequence[str] | None
    nearest: Sequence[str] | None
    hint: str | None
    do: str | None


@with_config(ConfigDict(extra="allow"))
class RemoteValues(TypedDict, total=False):
    """Values by which a remote backend finds a run."""

    launches: list[str]
    calls: dict[str, list[str]]
    app: str
    volume: str


@with_config(ConfigDict(extra="allow"))
class GateRule(TypedDict, total=False):
    """Rule of a gate, and the value that it was checked with."""

    rule: str
    limit: Finite
    met: bool
    value: Finite | None
    detail: str
    level: str


@with_config(ConfigDict(extra="allow"))
class SliceResult(TypedDict, total=False):
    """Result of a slice of an evaluation."""

    by: str
    slice: str
    rows: int
    wins: int
    losses: int
    gain: Finite | None
    interval: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None
    confidence: Finite
    p: Finite | None
    p_adjusted: Finite | None
    verdict: str | None


@with_config(ConfigDict(extra="allow"))
class ResultWithoutOverlap(TypedDict, total=False):
    """Result of an evaluation without the held-out rows that training rows repeat."""

    overlap: int
    rows: int
    base: Finite | None
    tuned: Finite | None
    gain: Finite | None
    interval: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None
    verdict: str | None
    reason: str


@with_config(ConfigDict(extra="allow"))
class EvaluationResult(TypedDict, total=False):
    """Result of one evaluation. A number that is None stands for NaN, which JSON does not have."""

    evaluator: str
    higher_is_better: bool
    rows: int
    base: Finite | None
    tuned: Finite | None
    gain: Finite | None
    interval: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None
    confidence: Finite
    verdict: str | None
    verdict_alone: str
    reason: str
    method: str
    p: Finite | None
    p_adjusted: Finite | None
    comparisons: int
    detectable_gain: Finite | None
    clusters: int
    unscored: int
    cut: dict[str, int]
    slices: list[SliceResult]
    without_overlap: ResultWithoutOverlap
    gate: list[GateRule]


class RunRecord(StoredModel):
    """The state and results of a run, and the values that are needed to repeat it."""

    id: str
    recipe: str
    overrides: tuple[str, ...]
    status: Status = "waiting"
    created: Timestamp
    started: Timestamp | None = None
    ended: Timestamp | None = None
    origins: dict[str, str] = {}  # key path of the recipe -> file:line:column or override
    facts: Facts = {}
    results: dict[str, CallResult] = {}  # by call label
    problems: tuple[RecordedProblem, ...] = ()
    exit_code: int | None = None  # of the command; of a background run, what it would have been
    backend: str = "local"
    remote: RemoteValues = {}  # empty for runs of this machine
    cost: Finite | None = None  # US dollars, from the run time and listed prices
    rerun_of: str | None = None  # id of the run that this run repeats

    def metrics(self, call: str) -> dict[str, Any]:
        """Return the metrics of a call; empty if the call has no artifact."""
        return self.results[call]["metrics"] if call in self.results else {}

    @property
    def evaluation(self) -> dict[str, EvaluationResult]:
        """The results of the evaluations by name. One of another shape, as of a changed record, is left out."""
        values = self.metrics("evaluate").get("evaluation")
        pairs = values.items() if isinstance(values, dict) else ()
        return {name: result for name, value in pairs if (result := _as_result(value)) is not None}


_RESULT = TypeAdapter(EvaluationResult)


def _as_result(value: Any) -> EvaluationResult | None:
    try:
        return _RESULT.validate_python(value)
    except ValidationError:
        return None
