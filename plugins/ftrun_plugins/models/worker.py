"""Download or copy of a model, a file or a dataset into the output of a stage call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftrun_plugins.models.params import FolderModel, HubDatasetFiles, HubModel, PackageModel, TinyModel, UrlFile

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.stage_call import StageCall


def fetch(what: Any, call: StageCall, context: StageContext) -> None:
    """Fetch `what`, an instance of a class of `ftrun_plugins.models.params`. The URL of a file is in `call.files`."""
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
            from ftrun_plugins.models.hub_download import download_dataset

            download_dataset(what.repository, what.commit, what.patterns, context)
        case HubModel():
            from ftrun_plugins.models.hub_download import download_model

            download_model(what.repository, what.commit, context)
