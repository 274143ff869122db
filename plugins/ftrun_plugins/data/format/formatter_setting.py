"""Overrides that set an option of a formatter, for hints. They name a formatter that `auto` chose."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ftrun.api.formatters import Formatter

PLAIN = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True)
class FormatterSetting:
    """Formatter of a source in a recipe.

    Args:
        formatter: The formatter that the rows go through.
        options: Its options.
        part: Name of the part with the source, or None.
        is_chosen: True if the recipe names another formatter, which chose this one.
    """

    formatter: Formatter
    options: Any
    part: str | None = None
    is_chosen: bool = False

    def override(self, option: str, column: str) -> str | None:
        """Return the override that sets an option to a column, or None if the formatter does not have the option."""
        if option not in self.formatter.Options.model_fields:
            return None
        key = f"dataset.parts.{self.part}.formatter" if self.part else "dataset.formatter"
        if not self.is_chosen:
            return f"{key}.{option}={_quote(column)}"
        options = {name: getattr(self.options, name) for name in sorted(self.options.model_fields_set)}
        pairs = {"name": self.formatter.name, **options, option: column}
        return f"{key}={{{', '.join(f'{name}: {_quote(value)}' for name, value in pairs.items())}}}"


def _quote(value: Any) -> str:
    return value if isinstance(value, str) and PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
