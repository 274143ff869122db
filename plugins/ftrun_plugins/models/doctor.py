"""Checks of `ftrun doctor` for downloads: the hub's answer and the token."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from ftrun.api.doctor import CheckResult, DoctorCheck
from ftrun.api.recipe import Recipe
from ftrun_plugins.models.hub import endpoint, get_token

SECONDS = 5.0
WHO = "/api/whoami-v2"
ANSWERS = (200, 401)  # 401 for a missing or wrong token


def checks(recipe: Recipe) -> list[DoctorCheck]:
    """Return the checks of the hub."""
    needed = recipe.model.weights.origin == "hub"
    return [DoctorCheck("hub", lambda: _check_hub(recipe, needed), needed)]


def _check_hub(recipe: Recipe, needed: bool) -> Iterator[CheckResult]:
    token = get_token()
    request = urllib.request.Request(endpoint() + WHO, headers={"User-Agent": "ftrun"})  # noqa: S310  (the address is set by the user)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            name, code = str(json.loads(response.read()).get("name")), 200
    except urllib.error.HTTPError as error:
        name, code = "", error.code
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        hint = "check the network and HF_ENDPOINT, or set model.weights={origin: folder, path: PATH}"
        yield CheckResult("hub", False, f"{endpoint()} cannot be reached: {reason}", needed, hint)
        yield _check_token(token, recipe, "not checked")
        return
    well = code in ANSWERS
    detail = f"{endpoint()} answers" if well else f"{endpoint()} answers {code}, which is not an answer of the hub"
    yield CheckResult("hub", well, detail, needed, "check HF_ENDPOINT and proxies, then try again")
    if token and code == 401:
        yield CheckResult(
            "hub's token", False, "the hub rejects it", recipe.model.gated, "set another token in HF_TOKEN"
        )
    else:
        yield _check_token(token, recipe, f"accepted, account {name}" if code == 200 else "not checked")


def _check_token(token: str | None, recipe: Recipe, detail: str) -> CheckResult:
    if token:
        return CheckResult("hub's token", True, detail)
    file = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface")) / "token"
    hint = f"export HF_TOKEN=$(cat {file})" if file.exists() else "export HF_TOKEN=…"
    return CheckResult("hub's token", False, "no token is set; gated models need one", recipe.model.gated, hint)
