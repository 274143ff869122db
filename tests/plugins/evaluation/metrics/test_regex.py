"""Whether an answer matches a pattern, whatever the pattern and however long the answer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun_plugins.evaluation.metrics.regex import Regex


def score(answer: str, row: dict[str, Any] | None = None, /, **options: Any) -> tuple[float, str | None]:
    return Regex().score(answer, "", row or {}, Regex.Options(**options))


@pytest.mark.parametrize(
    ("answer", "options", "expected"),
    [
        ("it is 42.", {"pattern": r"\d+"}, 1.0),
        ("it is so", {"pattern": r"\d+"}, 0.0),
        ("it is 42.", {"pattern": r"\d+", "match": "full"}, 0.0),
        ("42", {"pattern": r"\d+", "match": "full"}, 1.0),
        ("42\n", {"pattern": r"\d+", "match": "full"}, 0.0),
        ("b", {"pattern": "a|b", "match": "full"}, 1.0),
        ("ab", {"pattern": "a|b", "match": "full"}, 0.0),
        ("SELECT", {"pattern": "select"}, 0.0),
        ("SELECT", {"pattern": "select", "ignore_case": True}, 1.0),
        ("I am sorry", {"pattern": "sorry", "negate": True}, 0.0),
        ("Gladly", {"pattern": "sorry", "negate": True}, 1.0),
        ("a\nb", {"pattern": "^a.b$"}, 0.0),
        ("a\nb", {"pattern": "(?s)^a.b$"}, 1.0),
        ("Grüße", {"pattern": r"^\w+$"}, 1.0),
        ("42", {"pattern": r"(?x) \d+  # a number", "match": "full"}, 1.0),
        ("a42", {"pattern": r"(?x) \d+  # a number", "match": "full"}, 0.0),
        ("AB", {"pattern": "(?x) a  # one\n b  # two )", "match": "full", "ignore_case": True}, 1.0),
        ("42\n", {"pattern": r"(?x) \d+  # a number", "match": "full"}, 0.0),
        ("a#b", {"pattern": "a#b", "match": "full"}, 1.0),
    ],
)
def test_scores(answer: str, options: dict[str, Any], expected: float) -> None:
    found, reason = score(answer, **options)
    assert found == expected
    assert (reason is None) == (expected == 1.0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "either `pattern` or `pattern_field`"),
        ({"pattern": "a", "pattern_field": "b"}, "either `pattern` or `pattern_field`"),
        ({"pattern": "("}, "unclosed group"),
        ({"pattern": "a)(b", "match": "full"}, "unopened group"),
        ({"pattern": "(?=a)b"}, "look-around, including look-ahead and look-behind, is not supported"),
        ({"pattern": r"(a)\1"}, "backreferences are not supported"),
        ({"pattern": "(a{1000}){1000}"}, "exceeds size limit"),
        ({"pattern": ""}, "at least 1 character"),
        ({"pattern": "a", "match": "ful"}, "'search' or 'full'"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Regex.Options.model_validate(options)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, "the row has no pattern in `p`"),
        ({"p": None}, "the row has no pattern in `p`"),
        ({"p": "["}, "`p` is not a valid pattern: unclosed character class"),
        ({"p": "a" * 20_000}, "longer than 10,000 characters"),
    ],
)
def test_a_row_without_a_pattern_is_at_fault(row: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("`", ".")):
        score("a", row, pattern_field="p")


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"(a|aa)+$", r"(.*)*x", r"(\w+\s?)*!", r"(a?){500}a{500}"])
def test_no_pattern_is_ever_kept_busy(pattern: str) -> None:
    began = time.process_time()
    score("a" * 20_000 + " ", pattern=pattern)
    assert time.process_time() - began < 2


@given(pattern=st.text(min_size=1, max_size=20), answer=st.text(max_size=50))
def test_any_pattern_is_refused_or_scores(pattern: str, answer: str) -> None:
    try:
        options = Regex.Options(pattern=pattern)
    except ValidationError:
        return
    assert Regex().score(answer, "", {}, options)[0] in (0.0, 1.0)


@given(text=st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30))
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    escaped = "".join(f"\\u{{{ord(character):x}}}" for character in text) or "^$"
    assert score(text, pattern=escaped, match="full")[0] == 1.0
    assert score(text + "x", pattern=escaped, match="full")[0] == 0.0
