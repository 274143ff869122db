from __future__ import annotations

import pytest

from ftrun_plugins.data.format.normalized_text import normalize_text, normalized_words


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("What is  it?\n", "what is it"),
        ("“Naïve” — she said…", '"nai\u0308ve" - she said...'),
        ("Straße", "STRASSE"),
        ("\uff46\uff55\uff4c\uff4c\u3000\uff57", "full w"),
        ("¿Qué?", "qué"),
        ("东京。", "东京"),
        ("a\u00a0b", "a b"),
    ],
)
def test_spellings_of_one_text(text: str, other: str) -> None:
    assert normalize_text(text) == normalize_text(other)


@pytest.mark.parametrize(("text", "other"), [("3 + 4", "3 - 4"), ("a < b", "a > b"), ("3.5", "35"), ("x_1", "x 1")])
def test_signs_with_a_meaning_stay(text: str, other: str) -> None:
    assert normalize_text(text) != normalize_text(other)


def test_characters_of_scripts_without_spaces_are_words() -> None:
    assert len(normalized_words("东京在哪里")) == 5


def test_half_characters_do_not_fail() -> None:
    assert normalize_text("a\ud83d")
