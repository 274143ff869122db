"""File of pairs of answers with the preferences of people, by which a judge is checked.

One JSON object per line: {"prompt": …, "a": …, "b": …, "label": "a", "b" or "tie", "reference": …}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ftrun.api.errors import MOST_PROBLEMS, InvalidInput, Problem
from ftrun.api.evaluators import Pair
from ftrun.api.recipe_files import read_recipe_file
from ftrun.api.serving_spec import BASE, TUNED

VERDICTS = {"a": BASE, "b": TUNED, "tie": "tie"}  # of the judge, for which answer `a` is that of the base model
EXPECTED = '{"prompt": …, "a": …, "b": …, "label": "a", "b" or "tie"}, and possibly "reference"'


@dataclass(frozen=True)
class LabelledPair:
    """Pair of answers, and the verdict of a person: `base`, `tuned` or `tie`."""

    pair: Pair
    verdict: str


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: str
    a: str
    b: str
    label: Literal["a", "b", "tie"]
    reference: str = ""


def read_labels(path: Path) -> list[LabelledPair]:
    """Return the labelled pairs in a file.

    Raises:
        InvalidInput: If the file cannot be read, has no lines, or has wrong lines.
    """
    pairs, problems = list[LabelledPair](), list[Problem]()
    for number, text in enumerate(read_recipe_file(path).splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = _Line.model_validate(json.loads(text))
        except (ValueError, RecursionError) as error:
            problems.append(Problem("wrong-format", _explain(error), f"{path}:{number}", EXPECTED))
        else:
            pairs.append(LabelledPair(Pair(line.prompt, line.reference, line.a, line.b, {}), VERDICTS[line.label]))
    if problems:
        raise InvalidInput(problems[:MOST_PROBLEMS])
    if not pairs:
        raise InvalidInput(Problem("no-rows", "the file has no labelled pairs", str(path), EXPECTED))
    return pairs


def _explain(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "the line is not valid JSON"
    first = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    return f"`{name}`: {first['msg']}" if name else "the line is not a JSON object"
