"""The stage `fetch`: base weights and data files from outside, each an artifact of its own.

fetch:model        a Hugging Face folder: from the hub, a folder or a package, or a tiny one
fetch:<sha256…>    one file `content`, downloaded from a URL
fetch:<name>-<…>   `files` of a dataset of the hub, in their folders
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from ftrun.api.recipe import Frozen
from ftrun.api.stage_call import CLIENT

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.sources import HubFiles, InputFile
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner


class HubModel(Frozen):
    """A model of the hub at a commit."""

    origin: Literal["hub"] = "hub"
    repository: str
    commit: str


class FolderModel(Frozen):
    """A folder on the client's machine, by its content."""

    origin: Literal["folder"] = "folder"
    digest: str


class FileInPackage(Frozen):
    """A GGUF file in a wheel on PyPI."""

    package: str
    version: str
    sha256: str
    file: str


class PackageModel(FileInPackage):
    """The model in such a file."""

    origin: Literal["package"] = "package"
    dtype: Literal["bfloat16", "float16", "float32"]


class TinyModel(FileInPackage):
    """A random tiny model with the tokenizer in such a file."""

    origin: Literal["tiny"] = "tiny"


class UrlFile(Frozen):
    """One file, by its content: where it comes from is not in the key."""

    origin: Literal["url"] = "url"
    sha256: str


class HubDatasetFiles(Frozen):
    """Files of a dataset of the hub at a commit."""

    origin: Literal["dataset"] = "dataset"
    repository: str
    commit: str
    patterns: tuple[str, ...]


class Params(Frozen):
    """What is fetched."""

    what: Annotated[
        HubModel | FolderModel | PackageModel | TinyModel | UrlFile | HubDatasetFiles, Field(discriminator="origin")
    ]


class Fetch:
    """Downloads go into scratch, where a killed one is resumed, and are published whole."""

    name: ClassVar[str] = "fetch"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"
    other_environments: ClassVar[tuple[str, ...]] = (CLIENT,)

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        calls = list(self._downloads(recipe, planning))
        stages = set(recipe.stages)
        if stages == {self.name} or stages & {"tokenize", "train", "merge", "generate", "loss", "lm_eval"}:
            calls.append(self._model(recipe, planning))
        return calls

    def _downloads(self, recipe: Recipe, planning: Planner) -> Iterator[StageCall]:
        for named in recipe.dataset.sources():
            source = planning.plugins.get("source", named.name).cls
            for external in source().externals(source.Options.model_validate(named.options)):
                if external.hub is not None:
                    yield self._dataset(external, external.hub, planning)
                if external.url is not None:
                    params = Params(what=UrlFile(sha256=external.sha256))
                    # the URL travels as the file's place, beside the key: another mirror has the same content
                    yield planning.call(
                        self,
                        params,
                        label=external.fetch_label,
                        environment=CLIENT,
                        files={external.sha256: external.url},
                    )

    def _dataset(self, external: InputFile, hub: HubFiles, planning: Planner) -> StageCall:
        from ftrun_plugins.models.hub import ACCESS

        what = HubDatasetFiles(repository=hub.repository, commit=hub.commit, patterns=hub.patterns)
        pin = f"pin it: revision={hub.commit}"
        return planning.call(
            self,
            Params(what=what),
            label=external.fetch_label,
            secrets=(ACCESS,) if hub.gated else (),
            optional_secrets=() if hub.gated else (ACCESS,),
            notes=(f"{hub.named} of {hub.repository} is {hub.commit[:12]} now; {pin}",) if hub.named else (),
        )

    def _model(self, recipe: Recipe, planning: Planner) -> StageCall:
        model, label = recipe.model, "fetch:model"
        weights = model.weights
        if weights.origin == "folder":
            digest = planning.digests.folder(checked_folder(weights.path))
            return planning.call(
                self,
                Params(what=FolderModel(digest=digest)),
                label=label,
                environment=CLIENT,
                files={digest: weights.path},
            )
        if weights.origin == "package":
            return planning.call(self, Params(what=PackageModel(**weights.model_dump())), label=label)
        if weights.origin == "tiny":
            return planning.call(self, Params(what=TinyModel(**weights.model_dump())), label=label)
        from ftrun_plugins.models.hub import ACCESS, resolve

        commit = resolve(model.base_model, model.revision)
        what = HubModel(repository=model.base_model, commit=commit)
        needed, wanted = ((ACCESS,), ()) if model.gated else ((), (ACCESS,))
        return planning.call(self, Params(what=what), label=label, secrets=needed, optional_secrets=wanted)

    def run(self, call: StageCall, context: StageContext) -> None:
        what = Params.model_validate(call.params).what
        match what:
            case UrlFile():
                from ftrun_plugins.models.download import download

                download(call.files[what.sha256], what.sha256, context)
            case FolderModel():
                from ftrun_plugins.models.local_model import copy

                copy(context.files[what.digest], what.digest, context)
            case PackageModel():
                from ftrun_plugins.models.gguf_package import convert_package

                convert_package(what, context)
            case TinyModel():
                from ftrun_plugins.models.gguf_package import make_tiny_model

                make_tiny_model(what, context)
            case HubDatasetFiles():
                from ftrun_plugins.models.hub import download_dataset

                download_dataset(what.repository, what.commit, what.patterns, context)
            case HubModel():
                from ftrun_plugins.models.hub import download_model

                download_model(what.repository, what.commit, context)


def checked_folder(path: Path) -> Path:
    """The folder, once it is seen to hold a model. Raises `InvalidInput` otherwise."""
    from ftrun.api.errors import InvalidInput, Problem

    if not path.is_dir():
        raise InvalidInput(Problem("file-not-found", f"there is no folder {path}", at="model.weights.path"))
    missing = [name for name in ("config.json",) if not (path / name).exists()]
    if missing or not [*path.glob("*.safetensors"), *path.glob("*.bin")]:
        raise InvalidInput(
            Problem(
                "wrong-format",
                f"{path} is not a model in Hugging Face's layout",
                at="model.weights.path",
                expected="config.json, *.safetensors and a tokenizer",
            )
        )
    return path
