"""Translation of errors of Hydra and OmegaConf into problems with a place and a hint."""

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
from ftrun.api.issues import KeyPath
from ftrun.recipe.defaults_list import find_in_defaults, read_choices
from ftrun.recipe.layers import Layer, find_nearest_origin
from ftrun.recipe.overrides import Overrides, key_of
from ftrun.recipe.yaml_files import Position, positions
from ftrun.utils.suggest import nearest
from ftrun.utils.text import first_line

UNSET = "???"
MAX_LISTED = 12  # options of a config group that an error lists


def translate_error(
    error: BaseException, overrides: Overrides, folders: Sequence[ConfigFolders], layers: Sequence[Layer] = ()
) -> InvalidInput:
    """Return an InvalidInput for an error of Hydra. If its chain has an InvalidInput, return that.

    Args:
        error: The error.
        overrides: The overrides of the composition.
        folders: Folders of recipes and config groups.
        layers: The files that were being merged, as far as they are known.
    """
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    for link in chain:
        if isinstance(link, InvalidInput):
            return link
    translator = _Translator(overrides, folders, layers, chain)
    for link in chain:
        first = translator.problem(link)
        if first is not None:
            others = translator.unknown_options() if isinstance(link, MissingConfigException) else ()
            return InvalidInput(list({problem.what: problem for problem in (first, *others)}.values()))
    what = next((line for line in map(_first_line, chain) if line), type(error).__name__)
    return InvalidInput(Problem("invalid-recipe", what, at=translator.place or translator.recipe))


class _Translator:
    """Translator of single errors. Searches the overrides and the recipe files for the place of an error."""

    def __init__(
        self,
        overrides: Overrides,
        folders: Sequence[ConfigFolders],
        layers: Sequence[Layer],
        chain: Sequence[BaseException],
    ) -> None:
        self._overrides = overrides
        self._folders = folders
        self._layers = layers
        self._chain = chain
        self._files = list(_recipe_files(overrides, folders))

    @property
    def recipe(self) -> str | None:
        """Position of the first key in the files of the recipe."""
        return next((str(place) for file in self._files for place in positions(file).values()), None)

    @property
    def place(self) -> str | None:
        """Place that an error of the chain names: an override, a key, or a file."""
        text = "\n".join(map(str, self._chain))
        if (match := re.search(r"Error merging override (.+)", text)) and self._given(match[1]):
            return f"override {self._given(match[1])}"
        keys = [str(getattr(link, "full_key", None) or "") for link in self._chain]
        for key in filter(None, keys):
            path = tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", key))
            if origin := find_nearest_origin(path, self._overrides.given, self._layers) or self._find_in_files(path):
                return str(origin)
        for interpolation in re.findall(r"\$\{[^}]*\}?", text):  # in the choice of an option
            if overrides := [given for given in self._overrides.given if interpolation in given]:
                return f"override {overrides[-1]}"
            if place := self._place_in_defaults(interpolation):
                return place
        if match := re.search(r"In '([^']+)'", text):
            return self._place_of_other_kind(match[1])
        return None

    def _find_in_files(self, path: KeyPath) -> Position | None:
        """Return the position of a key in a file that could not be loaded, so that there are no layers."""
        choices = [(group, str(option)) for file in self._files for group, option, _ in read_choices(file)]
        choices += [(group, option) for group, option, _ in self._chosen_by_overrides()]
        options = [
            file
            for folder in self._folders
            for group, option in choices
            if folder.conf and (file := folder.conf / group / f"{option}.yaml").is_file()
        ]
        return next((positions(file)[path] for file in (*self._files, *options) if path in positions(file)), None)

    def _place_of_other_kind(self, config: str) -> str | None:
        """Return the position at which a file has a list in place of a mapping of the files before it, or the reverse.

        Hydra names the file, but not the key.
        """
        names = [layer.config for layer in self._layers]
        index = names.index(config) if config in names else len(names)
        kinds = {path: kind for layer in self._layers[:index] for path, kind in layer.kinds.items()}
        for layer in self._layers[index : index + 1]:
            wrong = [path for path, kind in layer.kinds.items() if kinds.get(path, kind) != kind]
            return next((str(layer.positions[path]) for path in wrong if path in layer.positions), None)
        return None

    def problem(self, error: BaseException) -> Problem | None:
        """Return the problem for an error, or None if the error is unknown."""
        match error:
            case MissingConfigException():
                return self._missing(error)
            case OverrideParseException():
                return Problem(
                    "invalid-override",
                    f"cannot read the override: {_first_line(error)}",
                    at=f"override {self._given(error.override)}",
                    expected="KEY=VALUE; quote characters that are special in the shell",
                )
            case InterpolationKeyError():
                hint = "an interpolation ${…} names a key of the composed recipe"
                return Problem("invalid-interpolation", _first_line(error), at=self.place or self.recipe, hint=hint)
            case UnsupportedInterpolationType():
                hint = "recipes cannot read environment variables; stages read the secrets that they need from them"
                return Problem("invalid-interpolation", _first_line(error), at=self.place or self.recipe, hint=hint)
            case GrammarParseError() | InterpolationResolutionError():
                what = f"cannot read an interpolation: {_first_line(error)}"
                return Problem(
                    "invalid-interpolation", what, at=self.place or self.recipe, expected="${KEY.OF.THE.RECIPE}"
                )
            case MarkedYAMLError():
                mark = error.problem_mark
                where = f"{mark.name}:{mark.line + 1}:{mark.column + 1}" if mark else None
                return Problem("invalid-yaml", f"invalid YAML: {error.problem or _first_line(error)}", at=where)
            case ConfigTypeError():
                return self._wrong_kind(error)
            case RecursionError():
                return Problem(
                    "invalid-defaults",
                    "the `defaults` lists of these files include each other",
                    at=self.recipe,
                    hint="check the `defaults` at the top of the recipe and of the files that it names",
                )
        return self._match_message(_first_line(error))

    def _match_message(self, text: str) -> Problem | None:
        """Return the problem for an error that Hydra distinguishes only by its message."""
        if match := re.search(r"Could not override '([^']+)'. No match in the defaults list", text):
            known = sorted({file.parent.name for folder in self._folders for file in _options(folder)})
            what, near = f"there is no config group `{match[1]}`", nearest(match[1], known)
            return Problem("unknown-name", what, self._place_in_defaults(match[1]), f"one of {', '.join(known)}", near)
        if match := re.search(r"Could not delete from config. '([^']+)'", text):
            return Problem("unknown-key", f"there is no key `{match[1]}` to remove", at=self._override(match[1]))
        if match := re.search(r"Could not override '([^']+)'", text):
            return Problem("unknown-key", f"there is no key `{match[1]}` to override", at=self._override(match[1]))
        if match := re.search(r"Multiple values for ([^ .]+)\.|^(\S+) appears more than once", text):
            group = match[1] or match[2]
            where = self._override(group) or self._place_in_defaults(group)
            return Problem(
                "invalid-defaults",
                f"an option of `{group}` is chosen already",
                where,
                expected=f"override /{group}: OPTION",
            )
        if match := re.search(r"You must specify '([^']+)'", text):
            where = self._override(match[1]) or self._place_in_defaults(UNSET)
            what = f"no option of `{match[1]}` is chosen"
            return Problem("missing-key", what, where or self.recipe, f"one of {', '.join(self._names(match[1]))}")
        if match := re.search(r"Ambiguous value for argument '(.+)'", text):
            hint = "a sweep needs -m; a list is written [A,B]"
            return Problem(
                "invalid-override", "several values for one key", at=f"override {self._given(match[1])}", hint=hint
            )
        if "Config group override must be" in text:
            wrong = [given for given in self._overrides.given if re.search(r"=(null|true|false|[\d.]*)$", given)]
            where = f"override {wrong[0]}" if wrong else None
            return Problem(
                "invalid-override",
                "the value of a config group is not the name of an option",
                where,
                "NAME, or [NAME,NAME]",
            )
        return None

    def _missing(self, error: MissingConfigException) -> Problem:
        group, _, option = str(error.missing_cfg_file or "").partition("/")
        options = self._names(group) or [str(name) for name in error.options or ()]
        overriding = [given for given in self._overrides.given if key_of(given)[0] == group and option in given]
        where = f"override {overriding[-1]}" if overriding else self._place_in_defaults(option)
        if where is None and (inside := re.match(r"In '([^']+)'", str(error))):
            where = f"the defaults of {inside[1]}"
        return _unknown_name(group or "config", option, where, options)

    def unknown_options(self) -> Iterator[Problem]:
        """Yield a problem for each unknown option in the recipe files and overrides. Hydra reports only the first."""
        in_files = [(*choice[:2], str(choice[2])) for file in self._files for choice in read_choices(file)]
        for group, option, where in (*in_files, *self._chosen_by_overrides()):
            options = self._names(group)
            if options and option not in options:
                yield _unknown_name(group, option, where, options)

    def _names(self, group: str) -> list[str]:
        return sorted({name for folder in self._folders for name in options_of(folder, group)})

    def _chosen_by_overrides(self) -> Iterator[tuple[str, str, str]]:
        for given in self._overrides.given:
            names = given.partition("=")[2].strip("[]").split(",")
            yield from ((key_of(given)[0], name.strip(), f"override {given}") for name in names if name.isidentifier())

    def _wrong_kind(self, error: ConfigTypeError) -> Problem:
        """Return the problem for a list in place of a mapping, or the reverse."""
        is_list = str(error).startswith("Cannot merge DictConfig with ListConfig")
        what = "the value is a list, not a mapping of keys to values" if is_list else _first_line(error)
        hint = "options of a config group are chosen in `defaults:`" if is_list else None
        return Problem("invalid-recipe", what, self.place or self.recipe, hint=hint)

    def _place_in_defaults(self, word: str) -> str | None:
        places = (find_in_defaults(file, word) for file in self._files)
        return next((str(place) for place in places if place), None)

    def _override(self, key: str) -> str | None:
        path = tuple(key.split("."))
        return next((f"override {given}" for given in self._overrides.given if key_of(given) == path), None)

    def _given(self, prepared: str) -> str:
        """Return the override as the user typed it."""
        return dict(zip(self._overrides.hydra, self._overrides.given, strict=True)).get(prepared, prepared)


def _unknown_name(group: str, option: str, where: str | None, options: Sequence[str]) -> Problem:
    known = ", ".join(options[:MAX_LISTED]) + (f", … ({len(options)} in all)" if len(options) > MAX_LISTED else "")
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
    return first_line(error).removeprefix("LexerNoViableAltException: ").rstrip(".")
