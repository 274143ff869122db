"""Preview as one self-contained HTML file without scripts."""

from __future__ import annotations

from pathlib import Path

from ftrun.report.renderer import render
from ftrun_plugins.preview.escape import escape
from ftrun_plugins.preview.result import PreviewResult
from ftrun_plugins.preview.tokenized_row import Piece

TEMPLATES = Path(__file__).with_name("templates")


def render_page(result: PreviewResult) -> str:
    """Return the HTML of a preview."""
    return render("preview.html", TEMPLATES, result=result, classes=_classes, visible=escape)


def _classes(piece: Piece) -> str | None:
    names = [name for name in ("trained", "special", "beyond") if getattr(piece, name)]
    return " ".join(names) or None
