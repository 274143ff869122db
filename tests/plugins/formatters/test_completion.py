from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ftrun.examples import Rejected, Row, Text
from ftrun_plugins.formatters.completion import Completion


def formatted(values: dict[str, Any], **options: str) -> Text | Rejected:
    return Completion().format(Row(values, "data.jsonl", 1), Completion.Options(**options))


def test_the_field_is_the_text() -> None:
    assert formatted({"text": " a\n", "b": 1}) == Text(" a\n")
    assert formatted({"body": "a"}, field="body") == Text("a")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"txet": "a"}, "there is no column `text`: the row has `txet`; did you mean `txet`?"),
        ({"text": None}, "`text` is null, not a text"),
        ({"text": ["a"]}, "`text` is a list, not a text"),
        ({"text": ""}, "`text` is empty: there is nothing to learn"),
        ({"text": " \n"}, "`text` is empty: there is nothing to learn"),
    ],
)
def test_a_row_without_text_is_rejected(row: dict[str, Any], reason: str) -> None:
    assert formatted(row) == Rejected(reason)


def test_unknown_options_are_errors() -> None:
    with pytest.raises(ValidationError):
        Completion.Options.model_validate({"fields": "text"})
