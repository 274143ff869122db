"""Checks of `ftrun doctor` for downloads: the hub's answer and the token."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.doctor import CheckResult, DoctorCheck
from ftrun.api.recipe import Recipe
from ftrun.utils.http import USER_AGENT, error_text
from ftrun_plugins.models.hub import get_token, hub_api
from ftrun_plugins.models.odd_answers import ODD_ERRORS

SECONDS = 5.0
ANSWERS = (200, 401)  # 401 for a missing or wrong token


def checks(recipe: Recipe) -> list[DoctorCheck]:
    """Return the checks of the hub."""
    needed = recipe.model.weights.origin == "hub"
    return [DoctorCheck("hub", lambda: _check_hub(recipe, needed), needed)]


def _check_hub(recipe: Recipe, needed: bool) -> Iterator[CheckResult]:
    import httpx2
    from huggingface_hub import get_session, is_offline_mode

    token, endpoint = get_token(), hub_api().endpoint
    if is_offline_mode():
        yield CheckResult("hub", True, "not asked, because HF_HUB_OFFLINE is set")
        yield _check_token(token, recipe, "not checked")
        return
    try:  # not `whoami`: without a token, it asks nothing
        headers = {"User-Agent": USER_AGENT, **({"Authorization": f"Bearer {token}"} if token else {})}
        response = get_session().get(f"{endpoint}/api/whoami-v2", headers=headers, timeout=SECONDS)
        code, name = response.status_code, str(response.json().get("name"))
    except (httpx2.HTTPError, *ODD_ERRORS) as error:
        hint = "check the network and HF_ENDPOINT, or set model.weights={origin: folder, path: PATH}"
        yield CheckResult("hub", False, f"{endpoint} cannot be reached: {error_text(error)}", needed, hint)
        yield _check_token(token, recipe, "not checked")
        return
    well = code in ANSWERS
    detail = f"{endpoint} answers" if well else f"{endpoint} answers {code}, which is not an answer of the hub"
    yield CheckResult("hub", well, detail, needed, "check HF_ENDPOINT and proxies, then try again")
    if token and code == 401:
        hint = "set another token in HF_TOKEN, or run `hf auth login`"
        yield CheckResult("hub's token", False, "the hub rejects it", recipe.model.gated, hint)
    else:
        yield _check_token(token, recipe, f"accepted, account {name}" if code == 200 else "not checked")


def _check_token(token: str | None, recipe: Recipe, detail: str) -> CheckResult:
    if token:
        return CheckResult("hub's token", True, detail)
    what, hint = "no token is set; gated models need one", "hf auth login, or export HF_TOKEN=…"
    return CheckResult("hub's token", False, what, recipe.model.gated, hint)
