"""This process as a client of a control plane: the library keeps one client, which it makes from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .fixture import ControlPlane


@contextmanager
def client_of(plane: ControlPlane) -> Iterator[None]:
    from modal._utils.async_utils import synchronizer
    from modal.client import _Client

    before = {name: value for name, value in os.environ.items() if name.startswith("MODAL_") or name == "NO_PROXY"}
    outer = _Client._client_from_env
    _exchange(before, plane.client_environment)
    _Client._set_env_client(None)
    try:
        yield
    finally:
        if mine := _Client._client_from_env:
            synchronizer._translate_out(mine).close()  # type: ignore[no-untyped-call]
        _exchange(plane.client_environment, before)
        _Client._set_env_client(outer)


def _exchange(old: dict[str, str], new: dict[str, str]) -> None:
    for name in old:
        os.environ.pop(name, None)
    os.environ.update(new)
