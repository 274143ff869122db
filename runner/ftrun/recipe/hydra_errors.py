"""Turns what Hydra and OmegaConf raise while composing into problems that a person can act on."""

from __future__ import annotations

import re

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import InterpolationKeyError, UnsupportedInterpolationType
from yaml import MarkedYAMLError

from ftrun.errors import Problem, Refused
from ftrun.recipe.overrides import Overrides, key_of
from ftrun.suggest import nearest


def as_refusal(error: BaseException, overrides: Overrides) -> Refused:
    """The refusal that stands for an error of Hydra's; one of ours inside its chain is returned as it is."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    for link in chain:
        if isinstance(link, Refused):
            return link
    for link in chain:
        problem = _problem(link, overrides)
        if problem is not None:
            return Refused(problem)
    return Refused(Problem(_first_line(error), do="`ftrun recipes` lists the recipes known by name"))


def _problem(error: BaseException, overrides: Overrides) -> Problem | None:
    match error:
        case MissingConfigException():
            return _missing(error, overrides)
        case OverrideParseException():
            return Problem(
                f"cannot read the override: {_first_line(error)}",
                where=f"override {error.override}",
                expected="KEY=VALUE; quote what the shell would change",
            )
        case InterpolationKeyError():
            return Problem(
                _first_line(error), where=_where(error), do="an interpolation ${…} names a key of the composed recipe"
            )
        case UnsupportedInterpolationType():
            return Problem(
                _first_line(error),
                where=_where(error),
                do="recipes cannot read the environment; secrets are taken from it by the stages that need them",
            )
        case MarkedYAMLError():
            mark = error.problem_mark
            where = f"{mark.name}:{mark.line + 1}:{mark.column + 1}" if mark else None
            return Problem(f"not YAML: {error.problem or _first_line(error)}", where=where)
        case RecursionError():
            return Problem(
                "the defaults lists of these files include each other in a circle",
                do="look at the `defaults:` at the top of the recipe and of the files it names",
            )
    return None


def _missing(error: MissingConfigException, overrides: Overrides) -> Problem:
    missing = str(error.missing_cfg_file or "")
    group, _, option = missing.rpartition("/")
    options = [str(name) for name in error.options or ()]
    what = f"there is no {group or 'config'} named `{option}`"
    inside = re.match(r"In '([^']+)'", str(error))
    where = next((f"override {given}" for given in overrides.given if key_of(given)[0] == group), None)
    if where is None and inside:
        where = f"the defaults of {inside[1]}"
    known = ", ".join(options[:12]) + (f", … ({len(options)} in all)" if len(options) > 12 else "")
    return Problem(what, where=where, expected=f"one of {known}" if options else None, nearest=nearest(option, options))


def _where(error: BaseException) -> str | None:
    key = getattr(error, "full_key", None)
    return str(key) if key else None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
