"""Section on the recipe: the command, the composed values and their origins."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import yaml

from ftrun.report.html import Html, element, facts
from ftrun.report.run_data import RunData


def recipe(run: RunData) -> Iterator[Html]:
    text = yaml.safe_dump(run.recipe, sort_keys=False, allow_unicode=True)
    origins = {path: origin for path, origin in run.record.origins.items() if origin != "default"}
    yield element("pre", f"ftrun {shlex.join(run.record.overrides)}", class_="command")
    yield element("pre", text, class_="scroll tall", tabindex="0", role="region", aria_label="The composed recipe")
    if origins:
        title = element("summary", f"Origins of {len(origins)} values; all others are defaults")
        yield element("details", title, facts(origins.items()))
