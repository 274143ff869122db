"""HTML elements as strings. All content that is not `Html` is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

EMPTY = ("meta", "wbr")  # elements without an end tag


class Html(str):
    """Text that is markup and is not escaped."""


Content = str | Iterable[str] | None


def element(name: str, /, *content: Content, **attributes: str | float | None) -> Html:
    """Return an element; attributes that are None are omitted.

    Use `class_` for the attribute `class`, and `aria_label` for `aria-label`.
    """
    text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{text}>" if name in EMPTY else f"<{name}{text}>{join(content)}</{name}>")


def join(content: Iterable[Content]) -> Html:
    """Join pieces of content into one HTML string."""
    return Html("".join(_piece(piece) for piece in content))


def _piece(piece: Content) -> str:
    if piece is None:
        return ""
    if isinstance(piece, Html):
        return piece
    return escape(piece) if isinstance(piece, str) else join(piece)


def table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[Content]], numbers: Sequence[int] = ()) -> Html:
    """Return a table that scrolls inside its own box, without its empty columns.

    Args:
        caption: The caption.
        titles: The titles of the columns.
        rows: The cells of each row. The first cell is the title of the row.
        numbers: The indices of the columns that are aligned to the right.
    """
    cells_of_rows = list(rows)
    columns = [
        column for column in range(len(titles)) if not cells_of_rows or any(row[column] for row in cells_of_rows)
    ]

    def cells(name: str, row: Sequence[Content], **attributes: str) -> Iterable[Html]:
        for column in columns:
            is_row_title = name == "td" and column == 0
            extra = {"scope": "row"} if is_row_title else attributes
            kind = "number" if column in numbers else None
            yield element("th" if is_row_title else name, row[column], class_=kind, **extra)

    head = element("thead", element("tr", cells("th", titles, scope="col")))
    body = element("tbody", (element("tr", cells("td", row)) for row in cells_of_rows))
    content = element("table", element("caption", caption), head, body)
    return element("div", content, class_="scroll", role="region", tabindex="0", aria_label=caption)


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Return a list of names with their values; pairs without a value are omitted."""
    items = (element("div", element("dt", name), element("dd", value)) for name, value in pairs if value)
    return element("dl", items, class_="facts")
