"""The Hugging Face hub: finds the commit of a revision on the client, downloads files at a commit in the stage."""

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
PLACES = {"model": "model.base_model", "dataset": "dataset"}  # in the recipe, for messages
DATASET = "files"  # folder in the artifact of a dataset, beside the manifest
MOST_NAMES = 5  # of files, in a message
COMMIT = re.compile("^[0-9a-f]{40}$")
TIMEOUT = 20  # seconds
NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "tokenizer*", "*.py")
WEIGHTS = ("*.bin",)  # only where there are no safetensors
SECONDS_BETWEEN_LOOKS = 1.0


def resolve(repository: str, revision: str | None, kind: Kind = "model") -> str:
    """The commit that a revision names now. A commit is taken as it is, without asking.

    Raises:
        InvalidInput: the repository is gated and the token is missing or not allowed, or the hub cannot be reached.
    """
    if revision and COMMIT.match(revision):
        return revision
    name = quote(revision or "main", safe="")
    return str(json.loads(_ask(f"/api/{kind}s/{repository}/revision/{name}", repository, kind))["sha"])


def check_access(repository: str, commit: str, kind: Kind = "model") -> None:
    """Asks for the smallest file of a repository, so that a gated one is found out before anything runs."""
    if kind == "model":
        _ask(f"/{repository}/resolve/{commit}/config.json", repository, kind)
    else:
        _ask(f"/api/datasets/{repository}/revision/{commit}", repository, kind)
        _ask(f"/datasets/{repository}/resolve/{commit}/README.md", repository, kind, may_lack=True)


def _ask(path: str, repository: str, kind: Kind, may_lack: bool = False) -> bytes:
    token = token_here()
    headers = {"User-Agent": "ftrun", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(endpoint() + path, headers=headers)  # noqa: S310  (the endpoint is the user's own)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        if error.code == 404 and may_lack:
            return b""
        raise InvalidInput(_refusal(error.code, repository, bool(token), kind)) from None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        other = {
            "model": "take the weights from a folder: model.weights={origin: folder, path: PATH}",
            "dataset": "take the rows from a file: dataset.source={name: jsonl, path: PATH}",
        }
        what = f"the hub cannot be reached to look up {repository}: {reason}"
        raise InvalidInput(
            Problem("download-failed", what, at=PLACES[kind], hint=f"check the network, or {other[kind]}")
        ) from None


def endpoint() -> str:
    """The hub's address, or that of the user's own."""
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def token_here() -> str | None:
    """The token in the environment, under any of its usual names."""
    return next((os.environ[name] for name in variables_of(ACCESS) if os.environ.get(name)), None)


def _refusal(code: int, repository: str, has_token: bool, kind: Kind) -> Problem:
    where = PLACES[kind]
    if code in (401, 403) and not has_token:
        return Problem(
            "missing-secret",
            f"{repository} is gated, private or misspelt, and no token is set",
            at=where,
            hint="accept its licence on the hub, then set HF_TOKEN",
        )
    if code in (401, 403):
        return Problem(
            "no-access",
            f"the token in the environment may not read {repository}",
            at=where,
            hint=f"accept the {kind}'s licence on the hub with the account that the token belongs to",
        )
    if code == 404:
        do = "check model.base_model and model.revision" if kind == "model" else "check `repo` and `revision`"
        return Problem("unknown-name", f"the hub has no {kind} {repository} at this revision", at=where, hint=do)
    return Problem("download-failed", f"the hub answered {code} for {repository}", at=where, hint="try again later")


def download_model(repository: str, commit: str, context: StageContext) -> None:
    """Downloads a model's files into scratch, where a killed download is resumed, and moves them into the artifact."""
    from huggingface_hub import HfApi, snapshot_download

    files = HfApi().model_info(repository, revision=commit, files_metadata=True, token=token_here()).siblings or []
    safetensors = any(file.rfilename.endswith(".safetensors") for file in files)
    patterns = [*NEEDED, *(() if safetensors else WEIGHTS)]
    wanted = [file for file in files if any(Path(file.rfilename).match(pattern) for pattern in patterns)]
    with _watched(context.work / "model", sum(file.size or 0 for file in wanted), context) as folder:
        snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=patterns, token=token_here())
    _publish(folder, context.output)


def download_dataset(repository: str, commit: str, patterns: Sequence[str], context: StageContext) -> None:
    """Downloads the files of a dataset that patterns match, as a model's are. Raises `InvalidInput` where none does."""
    from huggingface_hub import HfApi, snapshot_download

    info = HfApi().dataset_info(repository, revision=commit, files_metadata=True, token=token_here())
    files = info.siblings or []
    wanted = [file for file in files if any(fnmatch(file.rfilename, pattern) for pattern in patterns)]
    if not wanted:
        there = [file.rfilename for file in files]
        shown = f"it has {', '.join(there[:MOST_NAMES])}{' …' if len(there) > MOST_NAMES else ''}"
        what = f"no file of {repository} at {commit[:12]} is one of those that the recipe asks for; {shown}"
        raise InvalidInput(
            Problem(
                "wrong-format",
                what,
                PLACES["dataset"],
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
            token=token_here(),
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
    """Reports the size of a growing folder while it lasts."""

    def __init__(self, folder: Path, total: int, context: StageContext) -> None:
        self._folder, self._total, self._context = folder, total, context
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        from ftrun.utils.sizes import folder_size

        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            self._context.report.progress(min(folder_size(self._folder), self._total), self._total, "bytes")

    def __enter__(self) -> Path:
        self._thread.start()
        return self._folder

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
