"""Preview as text, with colours on a terminal and with marks in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from ftrun.utils.terminal import make_console
from ftrun_plugins.preview.escape import escape, shorten
from ftrun_plugins.preview.result import PreviewResult
from ftrun_plugins.preview.tokenized_row import Piece, TokenizedRow

TRAINED = ("⟦", "⟧")
SPECIAL = ("⟨", "⟩")
RULE = "─" * 8


@dataclass(frozen=True)
class TerminalStyle:
    """Style of a preview: colours of rich, or marks."""

    colours: bool
    full: bool = False

    def text(self, row: TokenizedRow) -> Text:
        """Return the text of a row, with a rule at the position of `sequence_len`."""
        text, beyond, trained = Text(), False, False
        for piece in row.runs():
            if not self.colours and trained and (not piece.trained or piece.beyond != beyond):
                text.append(TRAINED[1])
                trained = False
            if piece.beyond and not beyond:
                beyond = True
                what = "dropped" if row.dropped else "cut"
                rule = f"\n{RULE} sequence_len {row.sequence_len:,}: the {row.too_many:,} tokens below are too many; "
                text.append(f"{rule}the row is {what} {RULE}\n", "red" if self.colours else "")
            if not self.colours and piece.trained and not trained:
                text.append(TRAINED[0])
                trained = True
            text.append_text(self._piece(piece))
        if trained:
            text.append(TRAINED[1])
        if text.plain.endswith("\n"):
            text.right_crop(1)
        return text

    def _piece(self, piece: Piece) -> Text:
        text = escape(piece.text if self.full else shorten(piece.text))
        if self.colours:
            return Text(text, _style(piece))
        return Text(f"{SPECIAL[0]}{text}{SPECIAL[1]}" if piece.special else text)

    def legend(self) -> Text:
        """Return the legend of colours or marks."""
        if not self.colours:
            return Text(f"{TRAINED[0]}trained{TRAINED[1]}  not trained  {SPECIAL[0]}special token{SPECIAL[1]}")
        kinds = (
            ("trained", Piece("", 0, True, False, False)),
            ("not trained", Piece("", 0, False, False, False)),
            ("special token", Piece("", 0, False, True, False)),
            ("trained special token", Piece("", 0, True, True, False)),
        )
        return Text("  ").join(Text(name, _style(piece)) for name, piece in kinds)


def _style(piece: Piece) -> str:
    styles = ["bold green" if piece.trained else "magenta" if piece.special else "default"]
    if piece.special:
        styles.append("reverse")
    if piece.beyond:
        styles = ["red strike" + (" reverse" if piece.special else "")]
    return " ".join(styles)


def show(result: PreviewResult, full: bool) -> None:
    """Print a preview."""
    console = make_console(sys.stdout, soft_wrap=True, markup=False, emoji=False)
    colours = console.is_terminal and not os.environ.get("NO_COLOR") and not console.is_dumb_terminal
    style = TerminalStyle(colours, full)
    for line in _lines(result, style):
        console.print(line)


def _lines(result: PreviewResult, style: TerminalStyle) -> Iterator[Text]:
    if result.rows:
        yield Text(f"{result.recipe}: {result.choice}   ").append_text(style.legend())
    for row in result.rows:
        yield Text("")
        yield Text(f"{RULE} {escape(row.place)}  {row.split.replace('_', ' ')}  {row.counts}", "bold")
        for remark in row.remarks():
            yield Text(f"! {remark}", "red" if style.colours else "")
        yield style.text(row)
    for bad in result.rejected:
        yield Text("")
        yield Text(f"{RULE} {escape(bad.place)}  rejected: {escape(bad.reason)}", "bold red" if style.colours else "")
        yield Text(escape(bad.raw))
    notes = list(result.notes())
    if notes:
        yield Text("")
    yield from map(Text, notes)
