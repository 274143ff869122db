"""Descriptions of datasets: the file `dataset_info.json` of LLaMA-Factory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrun.utils.suggest import nearest
from ftrun_plugins.importing.llama_factory.settings import Settings

NAME = "dataset_info.json"
HINT = "name the file with --dataset-info"


@dataclass(frozen=True)
class Info:
    """Descriptions by name.

    Attributes:
        datasets: Description of each dataset. None: each name is that of a dataset of the hub.
        folder: Folder of the files that the descriptions name, or None if they are in a dataset of the hub.
        repo: Dataset of the hub that has the files.
    """

    datasets: Mapping[str, Any] | None
    folder: Path | None = None
    repo: str | None = None

    def describe(self, name: str, key: str, settings: Settings) -> Mapping[str, Any] | None:
        """Return the description of a dataset. Record a name without one."""
        if self.datasets is None:
            return {"hf_hub_url": name}
        described = self.datasets.get(name)
        if isinstance(described, dict):
            return described
        close = nearest(name, self.datasets)
        reason = f"{NAME} has no dataset `{name[:80]}`"
        settings.record.refuse((key,), reason, HINT, close)
        return None


def find_info(settings: Settings) -> Info | None:
    """Return the descriptions: of the option, of `dataset_dir`, or of the folder of the configuration."""
    context, folder = settings.record.context, settings.get("dataset_dir", "data")
    repo = folder[7:] if isinstance(folder, str) and folder.startswith("REMOTE:") else None
    if isinstance(folder, dict):
        return Info(folder, context.file.absolute().parent)
    if folder == "ONLINE" and context.dataset_info is None:
        return Info(None)
    file = context.dataset_info or _find_file(str(folder), context.file.absolute())
    if file is None or (repo and context.dataset_info is None):
        place = f"in the dataset `{repo}` of the hub" if repo else f"in `{folder}` or beside the file"
        settings.refuse("dataset", f"`dataset` names datasets of a {NAME}, which is not here ({place})", HINT)
        return None
    try:
        datasets = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        settings.refuse("dataset", f"{file} cannot be read: {str(error)[:200]}", "correct the file")
        return None
    if not isinstance(datasets, dict):
        settings.refuse("dataset", f"{file} has no names of datasets with their descriptions", "correct the file")
        return None
    return Info(datasets, None if repo else file.absolute().parent, repo)


def _find_file(folder: str, configuration: Path) -> Path | None:
    """Return the file in `dataset_dir`, which starts at the folder of the command, or beside the configuration."""
    starts = (Path.cwd(), *configuration.parents)
    places = [start / Path(folder).expanduser() / NAME for start in starts]
    places.insert(len(starts), configuration.parent / NAME)
    return next((place for place in places if place.is_file()), None)
