from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ftrun.api.rows import Rejected, Row, Text
from ftrun_plugins.data.formatters.completion import Completion
from helpers.catalogue.case import is_about


def formatted(values: dict[str, Any], **options: str) -> Text | Rejected:
    return Completion().format(Row(values, "data.jsonl", 1), Completion.Options(**options))


def test_the_field_is_the_text() -> None:
    assert formatted({"text": " a\n", "b": 1}) == Text(" a\n")
    assert formatted({"body": "a"}, field="body") == Text("a")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"txet": "a"}, "missing-value did you mean `txet`?"),
        ({"text": None}, "wrong-type `text`"),
        ({"text": ["a"]}, "wrong-type `text`"),
        ({"text": ""}, "empty-value `text`"),
        ({"text": " \n"}, "empty-value `text`"),
    ],
)
def test_a_row_without_text_is_rejected(row: dict[str, Any], reason: str) -> None:
    rejected = formatted(row)
    assert isinstance(rejected, Rejected)
    assert is_about(rejected.code, rejected.reason, reason)


def test_unknown_options_are_errors() -> None:
    with pytest.raises(ValidationError):
        Completion.Options.model_validate({"fields": "text"})
