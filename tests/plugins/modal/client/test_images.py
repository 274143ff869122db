"""Images of all shipped environments, as the real client describes them and the real tools parse them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import modal
import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.modal.client import source_bundle
from ftrun_plugins.modal.client.images import make_image
from ftrun_plugins.modal.errors import modal_errors
from modal_control_plane.client import client_of
from modal_control_plane.fixture import ControlPlane

ENVIRONMENTS = ["client", "server", "server_cpu", "trainer"]


def test_every_run_line_is_accepted(tmp_path: Path, loading: Callable[..., Loaded]) -> None:
    declared = loading().recipe.environment
    assert sorted(declared) == ENVIRONMENTS
    with ControlPlane(tmp_path / "plane") as plane, client_of(plane):
        app = modal.App.lookup("images", create_if_missing=True)
        for name in ENVIRONMENTS:
            for requirements in ((), ("six==1.17.0",)) if name == "client" else ((),):
                make_image(name, declared[name], source_bundle.packages(), requirements).build(app)
        assert plane.build_logs == {}
        assert plane.requests.holding("uv pip install"), "no image installs anything"
        assert len(plane.requests.holding("--require-hashes")) >= len(ENVIRONMENTS)


def test_a_build_that_fails_names_the_command_that_shows_its_log(tmp_path: Path) -> None:
    with ControlPlane(tmp_path / "plane") as plane, client_of(plane):
        app = modal.App.lookup("images", create_if_missing=True)
        image = modal.Image.debian_slim().uv_pip_install("six", extra_options="--compile-bytecode")
        with pytest.raises(InvalidInput) as refused, modal_errors("deploying"):
            image.build(app)
        (image_id,) = plane.build_logs
        assert "cannot be used multiple times" in plane.build_logs[image_id]
        (problem,) = refused.value.problems
        assert image_id in problem.what
        assert problem.hint == f"modal image logs {image_id}"
