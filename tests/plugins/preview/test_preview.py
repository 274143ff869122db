"""Choice and display of rows in a preview, without a tokenizer."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.errors import Problem
from ftrun.cli.main import run_command
from ftrun_plugins.preview.escape import escape, shorten
from ftrun_plugins.preview.formatted_rows import Examples, StopAfter
from ftrun_plugins.preview.page import render_page
from ftrun_plugins.preview.result import PreviewResult
from ftrun_plugins.preview.row_selection import RejectedRow, RowChoice, candidates, is_at, read_rejected
from ftrun_plugins.preview.terminal import TerminalStyle, show
from ftrun_plugins.preview.tokenized_row import TokenizedRow

PIECES = [
    [1, "<s>", False, True],
    [1, "Hi\n", False, False],
    [2, " 你", True, False],
    [1, " ", True, False],
    [1, "</s>", True, True],
]
IDS, LABELS = [1, 5, 6, 7, 8, 2], [-100, -100, 6, 7, 8, 2]


def seen(sequence_len: int = 100, **more: Any) -> TokenizedRow:
    row = {"place": "a.jsonl:3", "ids": IDS, "labels": LABELS, "pieces": PIECES, "dropped": False, "problem": None}
    return TokenizedRow.from_answer({**row, **more}, "train", sequence_len)


def found(*rows: TokenizedRow, bad: tuple[RejectedRow, ...] = ()) -> PreviewResult:
    return PreviewResult("mine", RowChoice(), rows, bad, len(bad), (), {})


def test_marks_stand_where_no_colour_can() -> None:
    assert TerminalStyle(colours=False).text(seen()).plain == "⟨<s>⟩Hi↵\n⟦·你·⟨</s>⟩⟧"


def test_colours_stand_in_place_of_marks() -> None:
    text = TerminalStyle(colours=True).text(seen())
    assert text.plain == "<s>Hi↵\n·你·</s>"
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert "green" in styles["·你·"]
    assert "reverse" in styles["</s>"]
    assert "green" not in styles["Hi↵\n"]


def test_counts_and_runs() -> None:
    row = seen()
    assert (row.tokens, row.trained, row.too_many) == (6, 4, 0)
    assert [(piece.text, piece.tokens) for piece in row.runs()] == [("<s>", 1), ("Hi\n", 1), (" 你 ", 3), ("</s>", 1)]


def test_what_is_cut_is_told_and_crossed() -> None:
    row = seen(4)
    assert (row.trained, row.too_many) == (2, 2)
    assert next(iter(row.remarks())) == "too long for sequence_len 4: the last 2 tokens are cut"
    text = TerminalStyle(colours=False).text(row).plain
    before, _, behind = text.partition("sequence_len 4: the 2 tokens below are too many; the row is cut")
    assert before.count("⟦") == before.count("⟧") == 1
    assert "⟦·⟨</s>⟩⟧" in behind


def test_what_is_dropped_trains_nothing() -> None:
    row = seen(4, dropped=True)
    assert row.trained == 0
    assert "it is dropped" in next(iter(row.remarks()))


@given(st.text())
def test_nothing_that_a_terminal_obeys_gets_through(text: str) -> None:
    shown = escape(text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert shown.count("\n") == text.strip(" ").count("\n")
    shown.encode()  # half a character is shown by its number


def test_spaces_at_the_ends_are_dots_and_inside_stay() -> None:
    assert escape("  a  b\tc ") == "··a  b⇥c·"
    assert escape("\x1b[31mred\u00a0") == "\\x1b[31mred\\xa0"
    assert escape("👩‍💻") == "👩‍💻"


def test_long_texts_lose_their_middle_and_say_so() -> None:
    text = shorten("a" * 5000)
    assert len(text) < 1600
    assert "[…3,500 characters…]" in text


def examples(folder: Path, lengths: list[int]) -> Examples:
    lines = [
        orjson.dumps({"place": f"a.jsonl:{number}", "text": "x" * length}) for number, length in enumerate(lengths, 1)
    ]
    (folder / "train.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "held_out.jsonl").write_bytes(b'{"place": "b.jsonl:1", "text": "held"}\n')
    (folder / "rejected.jsonl").write_bytes(
        b'{"place": "a.jsonl:9", "code": "bad-row", "reason": "no text", "raw": "{}"}\n'
    )
    return Examples(folder, complete=True)


@pytest.mark.parametrize(
    ("choice", "places"),
    [
        (RowChoice(count=2), ["a.jsonl:1", "a.jsonl:2"]),
        (RowChoice("longest", 1), ["a.jsonl:2", "a.jsonl:4", "a.jsonl:1", "a.jsonl:5"]),
        (RowChoice("shortest", 1), ["a.jsonl:3", "a.jsonl:5", "a.jsonl:1", "a.jsonl:4"]),
        (RowChoice("row", place="somewhere/a.jsonl:4"), ["a.jsonl:4"]),
        (RowChoice("row", place="b.jsonl:1"), ["b.jsonl:1"]),
        (RowChoice("row", place="a.jsonl:44"), []),
        (RowChoice(split="held_out"), ["b.jsonl:1"]),
    ],
    ids=str,
)
def test_the_rows_that_were_asked_for(tmp_path: Path, choice: RowChoice, places: list[str]) -> None:
    chosen = candidates(examples(tmp_path, [30, 500, 1, 60, 5]), choice)
    assert [example["place"] for example in chosen] == places


def test_a_seed_draws_the_same_rows_again(tmp_path: Path) -> None:
    whole = examples(tmp_path, [3] * 200)
    one, again, other = (candidates(whole, RowChoice("random", 5, seed)) for seed in (1, 1, 2))
    assert one == again != other
    assert len(one) == 5


def test_rejected_rows_have_their_reason(tmp_path: Path) -> None:
    assert list(read_rejected(examples(tmp_path, [1]))) == [RejectedRow("a.jsonl:9", "no text", "{}", "bad-row")]


def test_files_are_named_with_folders_or_without() -> None:
    assert is_at("a.jsonl:1", "a.jsonl:1")
    assert is_at("a.jsonl:1", "data/a.jsonl:1")
    assert is_at("part/a.jsonl:1", "a.jsonl:1")
    assert not is_at("ba.jsonl:1", "a.jsonl:1")


def test_a_wish_to_stop_comes_at_the_second_look() -> None:
    stop = StopAfter(1)
    assert [bool(stop) for _ in range(3)] == [False, True, True]


def test_the_page_escapes_what_data_holds_and_needs_no_script() -> None:
    evil = [[1, "<script>alert(1)</script>\x1b", True, False]]
    html = render_page(
        found(seen(pieces=evil, ids=[1], labels=[1]), bad=(RejectedRow("a:1", "<b>", "<i>", "bad-row"),))
    )
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "\x1b" not in html
    assert 'class="trained"' in html
    assert not re.search(r'(src|href)="http', html)


def test_the_page_escapes_texts_of_every_kind() -> None:
    evil = "<script>alert('x')</script>\"'&{{ 1 }}"
    row = seen(4, place=evil, problem=evil)
    rejected = (RejectedRow(evil, evil, evil, "bad-row"),)
    html = render_page(
        PreviewResult(evil, RowChoice("row", place=evil), (row,), rejected, 1, (Problem("x", evil),), {}, (evil,))
    )
    assert "<script" not in html
    assert len(re.findall(r"&lt;script&gt;alert\(&#39;x&#39;\)&lt;/script&gt;&#34;&#39;&amp;\{\{ 1 }}", html)) == 10


def test_the_page_marks_where_a_row_is_cut() -> None:
    html = render_page(found(seen(4), seen(100)))
    (tokens, *others) = re.findall(r'<div class="tokens">(.*?)</div>', html, re.DOTALL)
    assert '<span class="limit">sequence_len 4: the row is cut</span><span class="trained beyond" title="' in tokens
    assert html.count('class="limit"') == 1
    assert [re.sub(r"<.*?>", "", text) for text in others] == ["&lt;s&gt;Hi↵\n·你·&lt;/s&gt;"]


def test_in_a_pipe_there_are_marks_and_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    show(found(seen(), bad=(RejectedRow("a:1", "no answer", "{}", "bad-row"),)), full=False)
    assert "\x1b" not in out.getvalue()
    assert "⟦trained⟧" in out.getvalue()
    assert "a.jsonl:3  train  6 tokens, 4 trained" in out.getvalue()
    assert "a:1  rejected: no answer" in out.getvalue()


def test_everything_is_in_the_json() -> None:
    values = json.loads(json.dumps(found(seen(4)).as_dict()))
    row = values["rows"][0]
    assert (row["ids"], row["labels"], row["too_many"]) == (IDS, LABELS, 2)
    assert sum(piece["tokens"] for piece in row["pieces"]) == len(IDS)
    assert [piece["beyond"] for piece in row["pieces"]] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--longest", "--shortest", "recipe=quickstart"], "--longest and --shortest"),
        (["--row", "here", "recipe=quickstart"], "`here`"),
        (["recipe=quickstrat"], "quickstrat"),
        (["--random", "x", "recipe=quickstart"], "x"),
        (["-n", "0", "recipe=quickstart"], "0"),
        (["recipe=quickstart", "train.sequence_ln=3"], "sequence_ln"),
    ],
)
def test_a_wrong_wish_is_refused(arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["preview", *arguments]) == 2
    assert what in capsys.readouterr().err
