"""HTML made of elements: whatever is not markup already is escaped where it is put in, so nothing can be forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

EMPTY = ("meta", "wbr")  # elements without an end


class Html(str):
    """Text that is markup already."""


Content = str | Iterable[str] | None


def element(name: str, /, *content: Content, **attributes: str | float | None) -> Html:
    """An element; `class_` stands for `class`, `aria_label` for `aria-label`; what is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>" if name in EMPTY else f"<{name}{given}>{join(content)}</{name}>")


def join(content: Iterable[Content]) -> Html:
    """Pieces in a row."""
    return Html("".join(_piece(piece) for piece in content))


def _piece(piece: Content) -> str:
    if piece is None:
        return ""
    if isinstance(piece, Html):
        return piece
    return escape(piece) if isinstance(piece, str) else join(piece)


def table(about: str, titles: Sequence[str], rows: Iterable[Sequence[Content]], numbers: Sequence[int] = ()) -> Html:
    """A table that scrolls inside its own box, without columns that are empty.

    Args:
        about: Its caption.
        titles: One a column.
        rows: The first cell of each is its title.
        numbers: The columns that are aligned to the right.
    """
    filled = list(rows)
    shown = [column for column in range(len(titles)) if not filled or any(row[column] for row in filled)]

    def cells(name: str, row: Sequence[Content], **attributes: str) -> Iterable[Html]:
        for column in shown:
            heads_row = name == "td" and column == 0
            more = {"scope": "row"} if heads_row else attributes
            kind = "number" if column in numbers else None
            yield element("th" if heads_row else name, row[column], class_=kind, **more)

    head = element("thead", element("tr", cells("th", titles, scope="col")))
    body = element("tbody", (element("tr", cells("td", row)) for row in filled))
    whole = element("table", element("caption", about), head, body)
    return element("div", whole, class_="scroll", role="region", tabindex="0", aria_label=about)


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Names with their values; those without a value are left out."""
    found = (element("div", element("dt", name), element("dd", value)) for name, value in pairs if value)
    return element("dl", found, class_="facts")
