"""Prepares command-line overrides for Hydra: no `+` needed, and `recipe=` also takes a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser

from ftrun.api.errors import InvalidInput, Problem

_PLAIN = re.compile(r"^(?P<key>[A-Za-z_][\w.\-/@]*)=")


@dataclass(frozen=True)
class Overrides:
    """`given` as the user typed them, `hydra` as Hydra gets them; `recipe_file` where a recipe was named by path."""

    given: tuple[str, ...]
    hydra: tuple[str, ...]
    recipe_file: Path | None = None


def prepare(given: Sequence[str], groups: Iterable[str]) -> Overrides:
    """Forces plain value overrides (`train.x=1` becomes `++train.x=1`).

    Hydra would refuse to add a key that no file has yet, and the strict check of the recipe catches misspellings with
    a better message. Overrides of config groups stay as they are, for they choose files.
    """
    known = set(groups)
    recipe_file: Path | None = None
    ready: list[str] = []
    for override in given:
        match = _PLAIN.match(override)
        key = match["key"] if match else ""
        if override.startswith("-"):
            raise InvalidInput(
                Problem(
                    "unknown-option", f"there is no option `{override}`", hint="`ftrun VERB --help` lists the options"
                )
            )
        if not key_of(override)[0]:
            raise InvalidInput(
                Problem("invalid-override", "an override begins with a key", f"override {override}", "KEY=VALUE")
            )
        if key == "recipe" and override.endswith((".yaml", ".yml")) and "," not in override:
            recipe_file = _existing(override.removeprefix("recipe="))
            ready.append(f"recipe={_quoted(recipe_file.stem)}")
        elif not match or key.split("@")[0] in known or key.startswith("hydra"):
            ready.append(override)
        else:
            ready.append(f"++{override}")
    return Overrides(tuple(given), tuple(ready), recipe_file)


def _quoted(name: str) -> str:
    """For Hydra's grammar, which takes most letters beyond ASCII for errors."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return name if re.fullmatch(r"[A-Za-z0-9_.\-]+", name) else f"'{escaped}'"


def _existing(path: str) -> Path:
    file = Path(path).absolute()
    if not file.is_file():
        raise InvalidInput(
            Problem(
                "file-not-found",
                f"no such recipe file: {path}",
                at=f"recipe={path}",
                hint="`ftrun recipes` lists the recipes known by name",
            )
        )
    return file


@cache
def has(override: str, path: tuple[str | int, ...]) -> bool:
    """Whether an override sets what is at a path inside of its value: `x={a: 1}` leaves another `x.b` as it was."""
    if not path or not override.partition("=")[2].startswith("{"):
        return True
    value = OverridesParser.create().parse_override(override).value()
    for part in path:
        if isinstance(value, dict):
            if str(part) not in map(str, value):
                return False
            value = next(inner for key, inner in value.items() if str(key) == str(part))
    return True


def key_of(override: str) -> tuple[str, ...]:
    """The key path that an override sets: `++train.x=1` is `("train", "x")`."""
    key = override.lstrip("+~").partition("=")[0].partition("@")[0]
    return tuple(key.replace("/", ".").split("."))
