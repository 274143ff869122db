"""Turns what Hydra and OmegaConf raise while composing into problems that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigTypeError,
    GrammarParseError,
    InterpolationKeyError,
    InterpolationResolutionError,
    UnsupportedInterpolationType,
)
from yaml import MarkedYAMLError

from ftrun.api.config_dirs import ConfigFolders, options_of
from ftrun.api.errors import InvalidInput, Problem
from ftrun.recipe.defaults_list import chosen, place_in_defaults, place_of_list
from ftrun.recipe.overrides import Overrides, key_of
from ftrun.recipe.yaml_files import positions
from ftrun.utils.suggest import nearest

LISTED = 12  # options named of a group that has many


def translate_error(error: BaseException, overrides: Overrides, folders: Sequence[ConfigFolders]) -> InvalidInput:
    """The refusal that stands for an error of Hydra's; one of ours inside its chain is returned as it is."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    for link in chain:
        if isinstance(link, InvalidInput):
            return link
    wording = _Wording(overrides, folders)
    for link in chain:
        problem = wording.problem(link)
        if problem is not None:
            others = wording.unknown_options() if isinstance(link, MissingConfigException) else ()
            return InvalidInput(list({one.what: one for one in (problem, *others)}.values()))
    what = next((line for line in map(_first_line, chain) if line), type(error).__name__)
    return InvalidInput(Problem("invalid-recipe", what, at=wording.recipe))


class _Wording:
    """Knows the overrides and the recipe's own file, and so where a thing that Hydra names was written."""

    def __init__(self, overrides: Overrides, folders: Sequence[ConfigFolders]) -> None:
        self._overrides = overrides
        self._folders = folders
        self._files = list(_recipe_files(overrides, folders))

    @property
    def recipe(self) -> str | None:
        return next((str(place) for file in self._files for place in positions(file).values()), None)

    def problem(self, error: BaseException) -> Problem | None:
        match error:
            case MissingConfigException():
                return self._missing(error)
            case OverrideParseException():
                return Problem(
                    "invalid-override",
                    f"cannot read the override: {_first_line(error)}",
                    at=f"override {self._given(error.override)}",
                    expected="KEY=VALUE; quote what the shell would change",
                )
            case InterpolationKeyError():
                do = "an interpolation ${…} names a key of the composed recipe"
                return Problem("invalid-interpolation", _first_line(error), at=self._place_of_key(error), hint=do)
            case UnsupportedInterpolationType():
                do = "recipes cannot read the environment; secrets are taken from it by the stages that need them"
                return Problem("invalid-interpolation", _first_line(error), at=self._place_of_key(error), hint=do)
            case GrammarParseError() | InterpolationResolutionError():
                what = f"cannot read an interpolation: {_first_line(error)}"
                return Problem(
                    "invalid-interpolation", what, at=self._place_of_key(error), expected="${KEY.OF.THE.RECIPE}"
                )
            case MarkedYAMLError():
                mark = error.problem_mark
                where = f"{mark.name}:{mark.line + 1}:{mark.column + 1}" if mark else None
                return Problem("invalid-yaml", f"not YAML: {error.problem or _first_line(error)}", at=where)
            case ConfigTypeError():
                return self._wrong_kind(error)
            case RecursionError():
                return Problem(
                    "invalid-defaults",
                    "the defaults lists of these files include each other in a circle",
                    at=self.recipe,
                    hint="look at the `defaults:` at the top of the recipe and of the files it names",
                )
        return self._by_words(_first_line(error))

    def _by_words(self, text: str) -> Problem | None:
        """Errors that Hydra tells apart by their words alone."""
        if found := re.search(r"Could not override '([^']+)'. No match in the defaults list", text):
            known = sorted({file.parent.name for folder in self._folders for file in _options(folder)})
            what, near = f"there is no config group `{found[1]}`", nearest(found[1], known)
            return Problem("unknown-name", what, self._in_defaults(found[1]), f"one of {', '.join(known)}", near)
        if found := re.search(r"Could not delete from config. '([^']+)'", text):
            return Problem("unknown-key", f"there is no `{found[1]}` to take out", at=self._override(found[1]))
        if found := re.search(r"Could not override '([^']+)'", text):
            return Problem("unknown-key", f"there is no `{found[1]}` to override", at=self._override(found[1]))
        if found := re.search(r"Multiple values for ([^ .]+)\.|^(\S+) appears more than once", text):
            chosen = found[1] or found[2]
            where = self._override(chosen) or self._in_defaults(chosen)
            return Problem(
                "invalid-defaults", f"`{chosen}` is chosen already", where, expected=f"override /{chosen}: OPTION"
            )
        if found := re.search(r"Ambiguous value for argument '(.+)'", text):
            do = "a sweep needs -m; a list is written [A,B]"
            return Problem(
                "invalid-override", "several values for one key", at=f"override {self._given(found[1])}", hint=do
            )
        if "Config group override must be" in text:
            wrong = [given for given in self._overrides.given if re.search(r"=(null|true|false|[\d.]*)$", given)]
            where = f"override {wrong[0]}" if wrong else None
            return Problem(
                "invalid-override", "a config group takes the name of an option", where, "NAME, or [NAME,NAME]"
            )
        return None

    def _missing(self, error: MissingConfigException) -> Problem:
        group, _, option = str(error.missing_cfg_file or "").partition("/")
        options = self._names(group) or [str(name) for name in error.options or ()]
        overriding = [given for given in self._overrides.given if key_of(given)[0] == group and option in given]
        where = f"override {overriding[-1]}" if overriding else self._in_defaults(option)
        if where is None and (inside := re.match(r"In '([^']+)'", str(error))):
            where = f"the defaults of {inside[1]}"
        return _unknown(group or "config", option, where, options)

    def unknown_options(self) -> Iterator[Problem]:
        """All that the recipe's file and the overrides choose and nobody has: Hydra ends with the first."""
        in_files = [(*choice[:2], str(choice[2])) for file in self._files for choice in chosen(file)]
        for group, option, where in (*in_files, *self._chosen_by_overrides()):
            options = self._names(group)
            if options and option not in options:
                yield _unknown(group, option, where, options)

    def _names(self, group: str) -> list[str]:
        return sorted({name for folder in self._folders for name in options_of(folder, group)})

    def _chosen_by_overrides(self) -> Iterator[tuple[str, str, str]]:
        for given in self._overrides.given:
            names = given.partition("=")[2].strip("[]").split(",")
            yield from ((key_of(given)[0], name.strip(), f"override {given}") for name in names if name.isidentifier())

    def _wrong_kind(self, error: ConfigTypeError) -> Problem:
        """A list where a mapping belongs, or the other way round; Hydra does not say at which key."""
        for file in self._files:
            if place := place_of_list(file, (*(path.parent.name for path in self._all_options()), "train")):
                what = "a list where a mapping of keys belongs"
                return Problem(
                    "invalid-recipe", what, str(place), hint="what is chosen in a group stands in `defaults:`"
                )
        return Problem("invalid-recipe", f"values of different kinds meet: {_first_line(error)}", at=self.recipe)

    def _all_options(self) -> Iterator[Path]:
        for folder in self._folders:
            yield from _options(folder)

    def _place_of_key(self, error: BaseException) -> str | None:
        key = str(getattr(error, "full_key", None) or "")
        path = tuple(key.split("."))
        for given in self._overrides.given:
            if key_of(given) == path:
                return f"override {given}"
        return next((str(positions(file)[path]) for file in self._files if path in positions(file)), key or self.recipe)

    def _in_defaults(self, word: str) -> str | None:
        places = (place_in_defaults(file, word) for file in self._files)
        return next((str(place) for place in places if place), None)

    def _override(self, key: str) -> str | None:
        return next((f"override {one}" for one in self._overrides.given if key_of(one) == tuple(key.split("."))), None)

    def _given(self, prepared: str) -> str:
        """The override as the user typed it."""
        return dict(zip(self._overrides.hydra, self._overrides.given, strict=True)).get(prepared, prepared)


def _unknown(group: str, option: str, where: str | None, options: Sequence[str]) -> Problem:
    known = ", ".join(options[:LISTED]) + (f", … ({len(options)} in all)" if len(options) > LISTED else "")
    expected = f"one of {known}" if options else None
    return Problem("unknown-name", f"there is no {group} named `{option}`", where, expected, nearest(option, options))


def _recipe_files(overrides: Overrides, folders: Sequence[ConfigFolders]) -> Iterator[Path]:
    if overrides.recipe_file:
        yield overrides.recipe_file
    names = [given.partition("=")[2] for given in overrides.given if key_of(given) == ("recipe",)]
    for folder in folders:
        if folder.recipes:
            yield from (file for name in names if (file := folder.recipes / f"{name}.yaml").is_file())


def _options(folder: ConfigFolders) -> list[Path]:
    return list(folder.conf.glob("*/*.yaml")) if folder.conf else []


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].removeprefix("LexerNoViableAltException: ").rstrip(".") if lines else ""
