"""What `ftrun doctor` looks at for downloads: whether the hub answers, and whether it takes the token."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from ftrun.api.doctor import CheckResult, DoctorCheck
from ftrun.api.recipe import Recipe
from ftrun_plugins.models.hub import endpoint, token_here

SECONDS = 5.0
WHO = "/api/whoami-v2"
ANSWERS = (200, 401)  # who asks without a token, or with a wrong one, gets 401


def checks(recipe: Recipe) -> list[DoctorCheck]:
    needed = recipe.model.weights.origin == "hub"
    return [DoctorCheck("hub", lambda: _hub(recipe, needed), needed)]


def _hub(recipe: Recipe, needed: bool) -> Iterator[CheckResult]:
    token = token_here()
    request = urllib.request.Request(endpoint() + WHO, headers={"User-Agent": "ftrun"})  # noqa: S310  (the user's own)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            name, code = str(json.loads(response.read()).get("name")), 200
    except urllib.error.HTTPError as error:
        name, code = "", error.code
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        do = "check the network and HF_ENDPOINT; or model.weights={origin: folder, path: PATH}"
        yield CheckResult("hub", False, f"{endpoint()} cannot be reached: {reason}", needed, do)
        yield _token(token, recipe, "not tried")
        return
    well = code in ANSWERS
    detail = f"{endpoint()} answers" if well else f"{endpoint()} answers {code}, which the hub does not"
    yield CheckResult("hub", well, detail, needed, "look at HF_ENDPOINT and at proxies, then try again")
    if token and code == 401:
        yield CheckResult(
            "hub's token", False, "the hub does not take it", recipe.model.gated, "set another in HF_TOKEN"
        )
    else:
        yield _token(token, recipe, f"accepted, of {name}" if code == 200 else "not tried")


def _token(token: str | None, recipe: Recipe, detail: str) -> CheckResult:
    if token:
        return CheckResult("hub's token", True, detail)
    kept = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface")) / "token"
    do = f"export HF_TOKEN=$(cat {kept})" if kept.exists() else "export HF_TOKEN=…"
    return CheckResult("hub's token", False, "none is set; gated models need one", recipe.model.gated, do)
