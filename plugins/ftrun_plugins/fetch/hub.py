"""The Hugging Face hub: finds the commit of a revision on the client, downloads a model at a commit in the stage."""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.errors import Problem, Refused
from ftrun.plan.secrets import variables_of

if TYPE_CHECKING:
    from ftrun.execute.context import StageContext

HUB = "https://huggingface.co"
ACCESS = "huggingface"
COMMIT = re.compile("^[0-9a-f]{40}$")
TIMEOUT = 20  # seconds
NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "tokenizer*", "*.py")
WEIGHTS = ("*.bin",)  # only where there are no safetensors
SECONDS_BETWEEN_LOOKS = 1.0


def resolve(repository: str, revision: str | None) -> str:
    """The commit that a revision names now. A commit is taken as it is, without asking.

    Raises:
        Refused: the model is gated and the token is missing or not allowed, or the hub cannot be reached.
    """
    if revision and COMMIT.match(revision):
        return revision
    name = revision or "main"
    return str(_ask(f"/api/models/{repository}/revision/{name}", repository)["sha"])


def check_access(repository: str, commit: str) -> None:
    """Asks for the smallest file of a model, so that a gated one is found out before anything runs."""
    _ask(f"/{repository}/resolve/{commit}/config.json", repository)


def _ask(path: str, repository: str) -> Any:
    token = token_here()
    headers = {"User-Agent": "ftrun", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(endpoint() + path, headers=headers)  # noqa: S310  (the endpoint is the user's own)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise Refused(_refusal(error.code, repository, bool(token))) from None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise Refused(
            Problem(
                f"the hub cannot be reached to look up {repository}: {reason}",
                where="model.base_model",
                do="check the network, or take the weights from a folder: model.weights={origin: folder, path: PATH}",
            )
        ) from None


def endpoint() -> str:
    """The hub's address, or that of the user's own."""
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def token_here() -> str | None:
    """The token in the environment, under any of its usual names."""
    return next((os.environ[name] for name in variables_of(ACCESS) if os.environ.get(name)), None)


def _refusal(code: int, repository: str, has_token: bool) -> Problem:
    where = "model.base_model"
    if code in (401, 403) and not has_token:
        return Problem(
            f"{repository} is gated, private or misspelt, and no token is set",
            where=where,
            do="accept its licence on the hub, then set HF_TOKEN",
        )
    if code in (401, 403):
        return Problem(
            f"the token in the environment may not read {repository}",
            where=where,
            do="accept the model's licence on the hub with the account that the token belongs to",
        )
    if code == 404:
        return Problem(
            f"the hub has no {repository} at this revision", where=where, do="check model.base_model and model.revision"
        )
    return Problem(f"the hub answered {code} for {repository}", where=where, do="try again later")


def download_model(repository: str, commit: str, context: StageContext) -> None:
    """Downloads a model's files into scratch, where a killed download is resumed, and moves them into the artifact."""
    from huggingface_hub import HfApi, snapshot_download

    files = HfApi().model_info(repository, revision=commit, files_metadata=True, token=token_here()).siblings or []
    safetensors = any(file.rfilename.endswith(".safetensors") for file in files)
    patterns = [*NEEDED, *(() if safetensors else WEIGHTS)]
    wanted = [file for file in files if any(Path(file.rfilename).match(pattern) for pattern in patterns)]
    folder = context.work / "model"
    with _watched(folder, sum(file.size or 0 for file in wanted), context):
        snapshot_download(repository, revision=commit, local_dir=folder, allow_patterns=patterns, token=token_here())
    for path in sorted(folder.iterdir()):
        if path.name != ".cache":
            path.rename(context.output / path.name)


class _watched:  # noqa: N801  (reads as a statement)
    """Reports the size of a growing folder while it lasts."""

    def __init__(self, folder: Path, total: int, context: StageContext) -> None:
        self._folder, self._total, self._context = folder, total, context
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        from ftrun.store.files import folder_size

        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            self._context.report.progress(min(folder_size(self._folder), self._total), self._total, "bytes")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
