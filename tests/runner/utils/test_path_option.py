"""Paths in options of commands."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ftrun.utils.path_option import PathOption


@click.command()
@click.option("--to", type=PathOption())
def show(to: Path) -> None:
    click.echo(to)


@pytest.mark.parametrize(
    ("written", "path"), [("~/x", "/home/me/x"), ("x", "x"), ("/a/~/x", "/a/~/x"), ("~nobody-here/x", "~nobody-here/x")]
)
def test_a_tilde_is_the_home_of_the_user(written: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert CliRunner().invoke(show, [f"--to={written}"]).output == f"{path}\n"
