"""The section on the recipe: the command, the composed values, and where each of them came from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import yaml

from ftrun.report.html import Html, element, facts
from ftrun.report.run_data import RunData


def recipe(material: RunData) -> Iterator[Html]:
    text = yaml.safe_dump(material.recipe, sort_keys=False, allow_unicode=True)
    origins = {path: origin for path, origin in material.record.origins.items() if origin != "default"}
    yield element("pre", f"ftrun {shlex.join(material.record.overrides)}", class_="command")
    yield element("pre", text, class_="scroll tall", tabindex="0", role="region", aria_label="The composed recipe")
    if origins:
        about = element("summary", f"Where {len(origins)} values came from; all others are defaults")
        yield element("details", about, facts(origins.items()))
