"""Downloads of models and datasets from the Hugging Face hub. Runs in the trainer's environment."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun_plugins.models.hub import RECIPE_KEYS, Kind, get_token, hub_api, hub_endpoint, keep_token_at_hub
from ftrun_plugins.models.model_code import KEY, describe_code
from ftrun_plugins.models.odd_answers import report_odd_answers
from ftrun_plugins.models.weight_files import check_weights
from ftrun_plugins.models.workspace import DATASET, MODEL

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

FILES = "files"  # folder in the artifact of a dataset
MOST_NAMES = 5  # number of file names in a message
NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "tokenizer*", "*.py")
SECONDS_BETWEEN_REPORTS = 1.0


def download_model(repository: str, commit: str, context: StageContext) -> None:
    """Download the files of a model into the artifact. A retry continues an interrupted download.

    Raises:
        InvalidInput: If the model has no weights in safetensors.
    """
    sizes = _list_files(repository, commit, "model")
    check_weights(sizes, f"{repository} at {commit[:12]}", RECIPE_KEYS["model"])
    total = sum(sizes[name] for name in _filter(sizes, NEEDED))
    with _watched(context.work / MODEL, total, context) as folder:
        download_files(repository, commit, "model", folder, NEEDED)
    _publish(folder, context.output)
    if code := describe_code(context.output):
        context.report.note(f"{repository} has Python code, which runs only with {'.'.join(KEY)}=true: {code}")


def download_dataset(repository: str, commit: str, patterns: Sequence[str], context: StageContext) -> None:
    """Download the files of a dataset that match the patterns. A retry continues an interrupted download.

    Raises:
        InvalidInput: If no file matches.
    """
    sizes = _list_files(repository, commit, "dataset")
    names = _filter(sizes, patterns)
    if not names:
        listing = f"it has {', '.join([*sizes][:MOST_NAMES])}{' …' if len(sizes) > MOST_NAMES else ''}"
        what = f"no file of {repository} at {commit[:12]} matches the recipe; {listing}"
        raise InvalidInput(
            Problem(
                "wrong-format",
                what,
                RECIPE_KEYS["dataset"],
                "JSON Lines, JSON, CSV or Parquet",
                hint="set `files` of the source",
            )
        )
    with _watched(context.work / DATASET, sum(sizes[name] for name in names), context) as folder:
        download_files(repository, commit, "dataset", folder, patterns)
    with _odd_answers(repository, "dataset"):
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise ValueError(f"it did not deliver {', '.join(missing[:MOST_NAMES])}")
    _publish(folder, context.output / FILES)


def download_files(
    repository: str, commit: str, kind: Kind, folder: Path, patterns: Sequence[str], ignore: Sequence[str] = ()
) -> None:
    """Download the files that match the patterns. If HF_HUB_OFFLINE is set, copy them from the cache of the hub.

    Raises:
        InvalidInput: If HF_HUB_OFFLINE is set, and the cache does not have all files.
    """
    from huggingface_hub import is_offline_mode, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    offline = is_offline_mode()
    keep_token_at_hub()
    try:
        with _odd_answers(repository, kind):
            source = snapshot_download(
                repository,
                repo_type=kind,
                revision=commit,
                local_dir=None if offline else folder,
                allow_patterns=list(patterns),
                ignore_patterns=list(ignore),
                token=get_token(),
            )
    except LocalEntryNotFoundError as error:
        if not offline:
            raise
        raise _not_cached(repository, commit, kind) from error
    if offline:
        files = [path.relative_to(source).as_posix() for path in Path(source).rglob("*") if path.is_file()]
        for name in _filter(files, patterns, ignore):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(source) / name, folder / name)


def _odd_answers(repository: str, kind: Kind) -> AbstractContextManager[None]:
    return report_odd_answers(repository, hub_endpoint(), RECIPE_KEYS[kind], partial(StageError, "fetch"))


def _filter(names: Iterable[str], patterns: Sequence[str], ignore: Sequence[str] = ()) -> list[str]:
    """Return the names that the library of the hub downloads for these patterns."""

    def matches(name: str, patterns: Sequence[str]) -> bool:
        return any(fnmatch(name, pattern) for pattern in patterns)

    return [name for name in names if matches(name, patterns) and not matches(name, ignore)]


def _list_files(repository: str, commit: str, kind: Kind) -> dict[str, int]:
    """Return the sizes of the files of a repository in bytes, by name."""
    from huggingface_hub import get_cached_repo_tree, is_offline_mode
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    if is_offline_mode():
        try:
            tree = get_cached_repo_tree(repository, repo_type=kind, revision=commit)
        except CachedRepoTreeNotFoundError as error:
            raise _not_cached(repository, commit, kind) from error
        return {file.path: file.size for file in tree}
    api = hub_api()
    with _odd_answers(repository, kind):
        get_info = api.model_info if kind == "model" else api.dataset_info
        info = get_info(repository, revision=commit, files_metadata=True)
        return {str(file.rfilename): int(file.size or 0) for file in info.siblings or []}


def _not_cached(repository: str, commit: str, kind: Kind) -> InvalidInput:
    what = f"HF_HUB_OFFLINE is set, and the cache of the hub does not have all files of {repository} at {commit[:12]}"
    hint = f"unset HF_HUB_OFFLINE, or first run `hf download {repository} --repo-type {kind} --revision {commit}`"
    return InvalidInput(Problem("download-failed", what, at=RECIPE_KEYS[kind], hint=hint))


def _publish(folder: Path, output: Path) -> None:
    output.mkdir(exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.name != ".cache":
            path.rename(output / path.name)


class _watched:  # noqa: N801  (reads as a statement)
    """Progress reports of a download, from the size of its folder."""

    def __init__(self, folder: Path, total: int, context: StageContext) -> None:
        self._folder, self._total, self._context = folder, total, context
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        from ftrun.utils.sizes import folder_size

        while not self._over.wait(SECONDS_BETWEEN_REPORTS):
            self._context.report.progress(min(folder_size(self._folder), self._total), self._total, "bytes")

    def __enter__(self) -> Path:
        self._thread.start()
        return self._folder

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
