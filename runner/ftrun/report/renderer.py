"""Rendering of HTML pages from templates. Values are escaped; templates are files of the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, *folders: Path, **values: Any) -> str:
    """Render a template with values.

    Args:
        template: Name of the template.
        folders: Folders of templates, in addition to the templates of reports.
        values: The values. All text is escaped, except `markupsafe.Markup`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only when a page is made

    environment = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)
