"""Client of the Hugging Face hub: the token, commits of revisions, and access checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ftrun import __version__
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.secrets import as_token, read_secret
from ftrun.utils.http import error_text, keep_secrets
from ftrun.utils.value_format import shorten_value
from ftrun_plugins.models.odd_answers import check_type, report_odd_answers

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ACCESS = "huggingface"
Kind = Literal["model", "dataset"]
RECIPE_KEYS = {"model": "model.base_model", "dataset": "dataset"}  # for messages
COMMIT = re.compile("^[0-9a-f]{40}$")
TIMEOUT = 20  # seconds


def get_token() -> str | None:
    """Return the token of the environment variables or of `hf auth login`, or None.

    Raises:
        InvalidInput: If the token cannot be read.
    """
    return next((as_token(*secret) for secret in read_secret(ACCESS).items()), None)


def hub_api() -> HfApi:
    """Return a client of the hub with the token."""
    from huggingface_hub import HfApi, constants

    keep_token_at_hub()
    constants.HF_HUB_DISABLE_TELEMETRY = True
    return HfApi(token=get_token() or False, library_name="ftrun", library_version=__version__)


@cache
def keep_token_at_hub() -> None:
    """Let the library of the hub send the token only to the hub, which HF_ENDPOINT names, also if that redirects."""
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def make_client() -> Any:  # of httpx or of httpx2: the environments have different versions of the library
        session = default_client_factory()
        session.event_hooks["request"].append(keep_secrets(lambda: str(constants.ENDPOINT)))
        session.event_hooks["response"].append(check_type)
        return session

    set_client_factory(make_client)


def hub_endpoint() -> str:
    """Return the URL of the hub."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def resolve(repository: str, revision: str | None, kind: Kind = "model") -> str:
    """Return the current commit of a revision. A revision that is a commit is returned without a request.

    If HF_HUB_OFFLINE is set, the commit comes from the cache of the hub.

    Raises:
        InvalidInput: If the token is missing or has no access to a gated repository, or the hub cannot be reached.
    """
    if revision and COMMIT.match(revision):
        return revision
    from huggingface_hub import is_offline_mode

    with _report_errors(repository, kind):
        if is_offline_mode():
            cached = hub_api().resolve_revision(repository, repo_type=kind, revision=revision, local_files_only=True)
            return cached.resolved
        # not `resolve_revision`: it has no timeout, and returns an old commit if the hub cannot be reached
        info = hub_api().repo_info(repository, repo_type=kind, revision=revision or "main", timeout=TIMEOUT)
        if not COMMIT.match(str(info.sha)):
            raise ValueError(f"`sha` is {shorten_value(info.sha)}")
        return str(info.sha)


def check_access(repository: str, commit: str, kind: Kind = "model") -> None:
    """Request a small file of a repository, to find missing access before a run starts.

    Raises:
        InvalidInput: If the file cannot be read.
    """
    from huggingface_hub import hf_hub_url, is_offline_mode
    from huggingface_hub.errors import HfHubHTTPError

    if is_offline_mode():
        return
    api = hub_api()
    with _report_errors(repository, kind):
        if kind == "dataset":
            api.repo_info(repository, repo_type=kind, revision=commit, timeout=TIMEOUT)
        name = "config.json" if kind == "model" else "README.md"
        url = hf_hub_url(repository, name, repo_type=kind, revision=commit, endpoint=api.endpoint)
        try:  # not `auth_check`: it has no timeout, and mirrors may not have its address
            api.get_hf_file_metadata(url=url, timeout=TIMEOUT)
        except HfHubHTTPError as error:
            if kind == "model" or error.response.status_code != 404:
                raise


@contextmanager
def _report_errors(repository: str, kind: Kind) -> Iterator[None]:
    """Convert errors of the library of the hub.

    Raises:
        InvalidInput: If the library raises an error.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RevisionResolutionError

    try:
        with report_odd_answers(repository, hub_endpoint(), RECIPE_KEYS[kind], InvalidInput):
            yield
    except HfHubHTTPError as error:
        raise InvalidInput(_access_problem(error.response.status_code, repository, kind)) from None
    except HFValidationError:
        raise InvalidInput(_access_problem(404, repository, kind)) from None
    except RevisionResolutionError:
        what = f"HF_HUB_OFFLINE is set, and the cache of the hub does not have this revision of {repository}"
        hint = "unset HF_HUB_OFFLINE, or set the revision to a commit"
        raise InvalidInput(Problem("download-failed", what, at=RECIPE_KEYS[kind], hint=hint)) from None
    except (httpx2.HTTPError, json.JSONDecodeError) as error:
        alternatives = {
            "model": "use weights from a folder: model.weights={origin: folder, path: PATH}",
            "dataset": "use rows from a file: dataset.source={name: jsonl, path: PATH}",
        }
        what = f"the hub cannot be reached to look up {repository}: {error_text(error)}"
        hint = f"check the network, or {alternatives[kind]}"
        raise InvalidInput(Problem("download-failed", what, at=RECIPE_KEYS[kind], hint=hint)) from None


def _access_problem(code: int, repository: str, kind: Kind) -> Problem:
    key = RECIPE_KEYS[kind]
    if code in (401, 403) and not get_token():
        return Problem(
            "missing-secret",
            f"{repository} is gated, private or misspelt, and no token is set",
            at=key,
            hint="accept its licence on the hub, then set HF_TOKEN or run `hf auth login`",
        )
    if code in (401, 403):
        return Problem(
            "no-access",
            f"your token of the hub may not read {repository}",
            at=key,
            hint=f"accept the {kind}'s licence on the hub with the token's account",
        )
    if code == 404:
        hint = "check model.base_model and model.revision" if kind == "model" else "check `repo` and `revision`"
        return Problem("unknown-name", f"the hub has no {kind} {repository} at this revision", at=key, hint=hint)
    return Problem("download-failed", f"the hub answered {code} for {repository}", at=key, hint="try again later")
