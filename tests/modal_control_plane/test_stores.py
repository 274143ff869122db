from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import modal
import pytest

from modal_control_plane.fixture import ControlPlane

from .conftest import function


def test_of_those_who_put_a_key_at_once_one_has_put_it(plane: ControlPlane, name: str) -> None:
    shared = modal.Dict.from_name(name, create_if_missing=True)
    shared.hydrate()
    with ThreadPoolExecutor(16) as pool:
        put = list(pool.map(lambda number: shared.put("lock", number, skip_if_exists=True), range(16)))
    assert put.count(True) == 1
    assert shared["lock"] == put.index(True)


def test_dicts(plane: ControlPlane, name: str) -> None:
    shared = modal.Dict.from_name(name, create_if_missing=True)
    shared.update({"a": 1, "b": [2]})
    assert sorted(shared.items()) == [("a", 1), ("b", [2])]
    assert "a" in shared
    assert shared.pop("a") == 1
    assert (shared.get("a"), shared.len(), "a" in shared) == (None, 1, False)


def test_secrets_tell_their_keys_and_keep_their_values(plane: ControlPlane) -> None:
    plane.secrets["later"] = {"LATER_KEY": "told-to-containers-only"}
    modal.Secret.from_name("later", required_keys=["LATER_KEY"]).hydrate()
    with pytest.raises(modal.exception.NotFoundError, match="OTHER_KEY"):
        modal.Secret.from_name("later", required_keys=["OTHER_KEY"]).hydrate()
    with pytest.raises(modal.exception.NotFoundError):
        modal.Secret.from_name("no such").hydrate()
    assert "later" in {secret.name for secret in modal.Secret.objects.list()}
    seen = function("about").with_options(secrets=[modal.Secret.from_name("later")]).remote()["environment"]
    assert seen["LATER_KEY"] == "told-to-containers-only"
    # the function itself sends its environment back: its output is where the value is found, and nowhere else
    assert {request.rpc for request in plane.requests.holding("told-to-containers-only")} == {"FunctionPutOutputs"}
