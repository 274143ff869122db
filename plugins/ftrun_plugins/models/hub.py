"""Client of the Hugging Face hub: commits of revisions, access checks and downloads."""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.secrets import variables_of

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

HUB = "https://huggingface.co"
ACCESS = "huggingface"
Kind = Literal["model", "dataset"]
RECIPE_KEYS = {"model": "model.base_model", "dataset": "dataset"}  # for messages
DATASET = "files"  # folder in the artifact of a dataset
MOST_NAMES = 5  # number of file names in a message
COMMIT = re.compile("^[0-9a-f]{40}$")
TIMEOUT = 20  # seconds
NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "tokenizer*", "*.py")
WEIGHTS = ("*.bin",)  # only if there are no safetensors
SECONDS_BETWEEN_REPORTS = 1.0


def resolve(repository: str, revision: str | None, kind: Kind = "model") -> str:
    """Return the current commit of a revision. A revision that is a commit is returned without a request.

    Raises:
        InvalidInput: If the token is missing or has no access to a gated repository, or the hub cannot be reached.
    """
    if revision and COMMIT.match(revision):
        return revision
    name = quote(revision or "main", safe="")
    return str(json.loads(_get(f"/api/{kind}s/{repository}/revision/{name}", repository, kind))["sha"])


def check_access(repository: str, commit: str, kind: Kind = "model") -> None:
    """Request a small file of a repository, to find missing access before a run starts.

    Raises:
        InvalidInput: If the file cannot be read.
    """
    if kind == "model":
        _get(f"/{repository}/resolve/{commit}/config.json", repository, kind)
    else:
        _get(f"/api/datasets/{repository}/revision/{commit}", repository, kind)
        _get(f"/datasets/{repository}/resolve/{commit}/README.md", repository, kind, optional=True)


def _get(path: str, repository: str, kind: Kind, optional: bool = False) -> bytes:
    token = get_token()
    headers = {"User-Agent": "ftrun", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(endpoint() + path, headers=headers)  # noqa: S310  (the address is set by the user)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        error.close()  # it keeps the connection open
        if error.code == 404 and optional:
            return b""
        raise InvalidInput(_access_problem(error.code, repository, bool(token), kind)) from None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        alternatives = {
            "model": "use weights from a folder: model.weights={origin: folder, path: PATH}",
            "dataset": "use rows from a file: dataset.source={name: jsonl, path: PATH}",
        }
        what = f"the hub cannot be reached to look up {repository}: {reason}"
        raise InvalidInput(
            Problem("download-failed", what, at=RECIPE_KEYS[kind], hint=f"check the network, or {alternatives[kind]}")
        ) from None


def endpoint() -> str:
    """Return the address of the hub, or of the user's mirror in HF_ENDPOINT."""
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def get_token() -> str | None:
    """Return the token from the environment variables, or None."""
    return next((os.environ[name] for name in variables_of(ACCESS) if os.environ.get(name)), None)


def _access_problem(code: int, repository: str, has_token: bool, kind: Kind) -> Problem:
    key = RECIPE_KEYS[kind]
    if code in (401, 403) and not has_token:
        return Problem(
            "missing-secret",
            f"{repository} is gated, private or misspelt, and no token is set",
            at=key,
            hint="accept its licence on the hub, then set HF_TOKEN",
        )
    if code in (401, 403):
        return Problem(
            "no-access",
            f"the token in the environment may not read {repository}",
            at=key,
            hint=f"accept the {kind}'s licence on the hub with the token's account",
        )
    if code == 404:
        hint = "check model.base_model and model.revision" if kind == "model" else "check `repo` and `revision`"
        return Problem("unknown-name", f"the hub has no {kind} {repository} at this revision", at=key, hint=hint)
    return Problem("download-failed", f"the hub answered {code} for {repository}", at=key, hint="try again later")


def download_model(repository: str, commit: str, context: StageContext) -> None:
    """Download the files of a model into the artifact. A retry continues an interrupted download."""
    from huggingface_hub import HfApi, snapshot_download

    files = HfApi().model_info(repository, revision=commit, files_metadata=True, token=get_token()).siblings or []
    safetensors = any(file.rfilename.endswith(".safetensors") for file in files)
    patterns = [*NEEDED, *(() if safetensors else WEIGHTS)]
    wanted = [file for file in files if any(Path(file.rfilename).match(pattern) for pattern in patterns)]
    with _watched(context.work / "model", sum(file.size or 0 for file in wanted), context) as folder:
        snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=patterns, token=get_token())
    _publish(folder, context.output)


def download_dataset(repository: str, commit: str, patterns: Sequence[str], context: StageContext) -> None:
    """Download the files of a dataset that match the patterns. A retry continues an interrupted download.

    Raises:
        InvalidInput: If no file matches.
    """
    from huggingface_hub import HfApi, snapshot_download

    info = HfApi().dataset_info(repository, revision=commit, files_metadata=True, token=get_token())
    files = info.siblings or []
    wanted = [file for file in files if any(fnmatch(file.rfilename, pattern) for pattern in patterns)]
    if not wanted:
        existing = [file.rfilename for file in files]
        listing = f"it has {', '.join(existing[:MOST_NAMES])}{' …' if len(existing) > MOST_NAMES else ''}"
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
    names = [file.rfilename for file in wanted]
    with _watched(context.work / "dataset", sum(file.size or 0 for file in wanted), context) as folder:
        snapshot_download(
            repository,
            repo_type="dataset",
            revision=commit,
            local_dir=folder,
            allow_patterns=list(patterns),
            token=get_token(),
        )
    missing = [name for name in names if not (folder / name).is_file()]
    assert not missing, f"the hub did not deliver {missing[:MOST_NAMES]}"
    _publish(folder, context.output / DATASET)


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
