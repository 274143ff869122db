"""Preview as one self-contained HTML file without scripts."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.report.html import Html, element
from ftrun.report.style import STYLE
from ftrun_plugins.preview.escape import escape
from ftrun_plugins.preview.result import PreviewResult
from ftrun_plugins.preview.tokenized_row import Piece, TokenizedRow

OWN_STYLE = """
.tokens {
  white-space: pre-wrap; overflow-wrap: anywhere; font: .875rem/1.7 var(--mono); color: var(--quiet);
  background: var(--panel); border-radius: .5rem; padding: .75rem 1rem; margin: .5rem 0 0;
}
.trained { color: var(--text); background: color-mix(in srgb, var(--good) 24%, transparent); font-weight: 600; }
.special { border: 1px solid currentColor; border-radius: .25rem; padding: 0 .2em; font-size: .8125rem; }
.beyond { color: var(--bad); background: none; text-decoration: line-through; }
.limit { display: block; color: var(--bad); border-top: 2px solid var(--bad); font-size: .8125rem; margin-top: .25rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font: .875rem/1.7 var(--mono); color: var(--quiet); }
h2 { overflow-wrap: anywhere; }
"""
KINDS = (
    ("trained", Piece("", 0, True, False, False)),
    ("not trained", Piece("", 0, False, False, False)),
    ("special token", Piece("", 0, False, True, False)),
    ("trained special token", Piece("", 0, True, True, False)),
    ("too long", Piece("", 0, False, False, True)),
)


def render_page(result: PreviewResult) -> str:
    """Return the HTML of a preview."""
    title = f"{result.recipe}: rows as the model sees them"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(STYLE + OWN_STYLE)),
    )
    legend = element("div", (element("span", name, class_=_classes(piece)) for name, piece in KINDS), class_="legend")
    main = element(
        "main",
        element("h1", title),
        element("p", f"{len(result.rows)} rows: {result.choice}", class_="note"),
        legend,
        (element("p", note, class_="note") for note in result.notes()),
        map(_render_row, result.rows),
        (_render_rejected(bad.place, bad.reason, bad.raw) for bad in result.rejected),
    )
    return f"<!doctype html>\n{element('html', head, element('body', main), lang='en')}\n"


def _render_row(row: TokenizedRow) -> Html:
    return element(
        "section",
        element("h2", escape(row.place)),
        element("p", f"{row.split.replace('_', ' ')} · {row.counts}", class_="note"),
        (element("p", remark, class_="problem") for remark in row.remarks()),
        element("div", _render_tokens(row), class_="tokens"),
    )


def _render_tokens(row: TokenizedRow) -> Iterator[Html]:
    beyond = False
    for piece in row.runs():
        if piece.beyond and not beyond:
            beyond = True
            what = "dropped" if row.dropped else "cut"
            yield element("span", f"sequence_len {row.sequence_len:,}: the row is {what}", class_="limit")
        yield element("span", escape(piece.text), class_=_classes(piece), title=f"{piece.tokens:,} tokens")


def _render_rejected(place: str, reason: str, raw: str) -> Html:
    return element(
        "section",
        element("h2", escape(place)),
        element("p", f"rejected: {escape(reason)}", class_="problem"),
        element("div", escape(raw), class_="tokens"),
    )


def _classes(piece: Piece) -> str | None:
    names = [name for name in ("trained", "special", "beyond") if getattr(piece, name)]
    return " ".join(names) or None
