"""Preparation of command line overrides for Hydra. They need no `+`, and `recipe=` also accepts a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser

from ftrun.api.errors import InvalidInput, Problem
from ftrun.recipe.secret_values import check_overrides

_DIGITS = re.compile(r"[=\[{,:]\s*[-+]?(\d{100,})(?=[\s,\]}]|$)")
_PLAIN = re.compile(r"^(?P<key>[A-Za-z_][\w.\-/@]*)=")


@dataclass(frozen=True)
class Overrides:
    """Overrides as the user typed them (`given`) and as Hydra gets them (`hydra`).

    `recipe_file` is set if the recipe is a path.
    """

    given: tuple[str, ...]
    hydra: tuple[str, ...]
    recipe_file: Path | None = None


def prepare(given: Sequence[str], groups: Iterable[str]) -> Overrides:
    """Prepare overrides for Hydra: `train.x=1` becomes `++train.x=1`.

    Without `++` Hydra does not add a key that no file has. The strict check of the recipe reports misspelled keys with
    a better message. Overrides of config groups do not change, because they choose files.

    Raises:
        InvalidInput: If an override is an option or has no key, or the recipe file does not exist.
    """
    check_overrides(given)
    known = set(groups)
    recipe_file: Path | None = None
    hydra: list[str] = []
    for text in given:
        override = _expand_home(text)
        match = _PLAIN.match(override)
        key = match["key"] if match else ""
        if override.startswith("-"):
            raise InvalidInput(
                Problem("unknown-option", f"unknown option `{override}`", hint="`ftrun VERB --help` lists the options")
            )
        if digits := _DIGITS.search(override):
            what = f"a number of {len(digits[1]):,} digits"
            place = f"override {override[: digits.start(1)]}…"
            raise InvalidInput(Problem("too-large", what, place, "a number of 64 bits or less"))
        if not key_of(override)[0]:
            raise InvalidInput(
                Problem("invalid-override", "the override has no key", f"override {override}", "KEY=VALUE")
            )
        if key == "recipe" and (path := path_of(text.removeprefix("recipe="))):
            recipe_file = _find_file(path)
            hydra.append(f"recipe={_quote(recipe_file.stem)}")
        elif not match or key.split("@")[0] in known or key.startswith("hydra"):
            hydra.append(override)
        else:
            hydra.append(f"++{override}")
    return Overrides(tuple(given), tuple(hydra), recipe_file)


def _expand_home(override: str) -> str:
    """Replace `~` at the beginning of a path by the home folder, because the grammar of Hydra does not accept it."""
    key, equals, value = override.partition("=")
    if not value.startswith("~/") or "," in value:
        return override
    return f"{key}{equals}{_quote(str(Path(value).expanduser()))}"


def _quote(name: str) -> str:
    """Quote a name or a path for the grammar of Hydra, which does not accept most letters outside of ASCII."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return name if re.fullmatch(r"[A-Za-z0-9_.\-]+", name) else f"'{escaped}'"


def path_of(recipe: str) -> str | None:
    """Return the path in a value of `recipe=`, which may be in quotes, or None if the value is a name or several."""
    path = recipe
    if len(recipe) > 1 and recipe[0] == recipe[-1] and recipe[0] in "'\"":
        quote = recipe[0]
        path = recipe[1:-1].replace(f"\\{quote}", quote)
    is_file = path.endswith((".yaml", ".yml")) and ("," not in path or Path(path).expanduser().is_file())
    return path if is_file else None


def _find_file(path: str) -> Path:
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        raise InvalidInput(
            Problem(
                "file-not-found",
                f"the recipe file does not exist: {path}",
                at=f"recipe={path}",
                hint="`ftrun recipes` lists the recipes that have a name",
            )
        )
    return file


@cache
def has(override: str, path: tuple[str | int, ...]) -> bool:
    """Return True if an override sets the value at this path below its key. `x={a: 1}` does not set `x.b`."""
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
    """Return the key path that an override sets: `("train", "x")` for `++train.x=1`."""
    key = override.lstrip("+~").partition("=")[0].partition("@")[0]
    return tuple(key.replace("/", ".").split("."))
