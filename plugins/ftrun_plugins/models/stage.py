"""The stage `fetch`: base weights and data files from outside, each an artifact of its own.

fetch:model        a Hugging Face folder: from the hub, a folder or a package, or a tiny one
fetch:<sha256…>    one file `content`, downloaded from a URL
fetch:<name>-<…>   `files` of a dataset of the hub, in their folders
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun.api.stage_call import CLIENT
from ftrun_plugins.models.params import FolderModel, HubDatasetFiles, HubModel, PackageModel, Params, TinyModel, UrlFile

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.sources import HubFiles, InputFile
    from ftrun.api.stage_call import StageCall


class Fetch:
    """Downloads go into scratch, where a killed one is resumed, and are published whole."""

    name: ClassVar[str] = "fetch"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"
    other_environments: ClassVar[tuple[str, ...]] = (CLIENT,)

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        calls = list(self._downloads(recipe, planner))
        stages = set(recipe.stages)
        if stages == {self.name} or stages & {"tokenize", "train", "merge", "generate", "loss", "lm_eval"}:
            calls.append(self._model(recipe, planner))
        return calls

    def _downloads(self, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        for named in recipe.dataset.sources():
            source = planner.registered("source", named.name)
            for external in source().externals(source.Options.model_validate(named.options)):
                if external.hub is not None:
                    yield self._dataset(external, external.hub, planner)
                if external.url is not None:
                    params = Params(what=UrlFile(sha256=external.sha256))
                    # the URL travels as the file's place, beside the key: another mirror has the same content
                    yield planner.call(
                        self,
                        CallRequest(
                            params,
                            label=external.fetch_label,
                            environment=CLIENT,
                            files={external.sha256: external.url},
                        ),
                    )

    def _dataset(self, external: InputFile, hub: HubFiles, planner: Planner) -> StageCall:
        from ftrun_plugins.models.hub import ACCESS

        what = HubDatasetFiles(repository=hub.repository, commit=hub.commit, patterns=hub.patterns)
        pin = f"pin it: revision={hub.commit}"
        return planner.call(
            self,
            CallRequest(
                Params(what=what),
                label=external.fetch_label,
                secrets=(ACCESS,) if hub.gated else (),
                optional_secrets=() if hub.gated else (ACCESS,),
                notes=(f"{hub.named} of {hub.repository} is {hub.commit[:12]} now; {pin}",) if hub.named else (),
            ),
        )

    def _model(self, recipe: Recipe, planner: Planner) -> StageCall:
        model, label = recipe.model, "fetch:model"
        weights = model.weights
        if weights.origin == "folder":
            digest = planner.digests.folder(checked_folder(weights.path))
            return planner.call(
                self,
                CallRequest(
                    Params(what=FolderModel(digest=digest)),
                    label=label,
                    environment=CLIENT,
                    files={digest: weights.path},
                ),
            )
        if weights.origin == "package":
            return planner.call(self, CallRequest(Params(what=PackageModel(**weights.model_dump())), label=label))
        if weights.origin == "tiny":
            return planner.call(self, CallRequest(Params(what=TinyModel(**weights.model_dump())), label=label))
        from ftrun_plugins.models.hub import ACCESS, resolve

        commit = resolve(model.base_model, model.revision)
        what = HubModel(repository=model.base_model, commit=commit)
        needed, wanted = ((ACCESS,), ()) if model.gated else ((), (ACCESS,))
        return planner.call(self, CallRequest(Params(what=what), label=label, secrets=needed, optional_secrets=wanted))

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.models.worker import fetch

        fetch(Params.model_validate(call.params).what, call, context)


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
