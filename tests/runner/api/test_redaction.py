"""What a report hides."""

from __future__ import annotations

import pytest

from ftrun.api import redaction
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.redaction import HIDDEN, redact, redact_text


@pytest.mark.parametrize(
    "name", ["comet_api_key", "HF_TOKEN", "swanlab_lark_secret", "password", "hf_token", "OPENAI_API_KEY"]
)
def test_values_with_the_name_of_a_secret_are_hidden(name: str) -> None:
    assert redact({"train": {name: "value"}}) == {"train": {name: HIDDEN}}
    assert redact({name: ["one", "two"]}) == {name: [HIDDEN, HIDDEN]}
    assert "0123456789" not in redact_text(f"ftrun train.{name}=0123456789 train.lora_r=8")
    assert "train.lora_r=8" in redact_text(f"ftrun train.{name}=0123456789 train.lora_r=8")


@pytest.mark.parametrize("name", ["pad_token", "eos_token", "max_new_tokens", "tokens", "schema_key_field", "keys"])
def test_other_values_stay(name: str) -> None:
    assert redact({name: "</s>"}) == {name: "</s>"}


def test_what_is_no_text_stays() -> None:
    assert redact({"hf_use_auth_token": True, "password": None, "secret": ""}) == {
        "hf_use_auth_token": True,
        "password": None,
        "secret": "",
    }


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://me:pass%20word@host/data.jsonl", f"https://{HIDDEN}@host/data.jsonl"),
        (
            "https://host/d?a=1&amp;X-Amz-Signature=abcdef&amp;b=2",
            f"https://host/d?a=1&amp;X-Amz-Signature={HIDDEN}&amp;b=2",
        ),
        ("token hf_abcdefghijklmnopqrst is wrong", f"token {HIDDEN} is wrong"),
        ("<b>sk-abcdefghijklmnopqrst</b>", f"<b>{HIDDEN}</b>"),
        ("WHERE KEY=5 AND a@b.c", "WHERE KEY=5 AND a@b.c"),
    ],
)
def test_what_has_the_shape_of_a_secret_is_hidden(text: str, left: str) -> None:
    assert redact_text(text) == left


def test_values_of_the_environment_are_hidden_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "quite<secret>")
    monkeypatch.setenv("MY_OWN", "another-one")
    monkeypatch.setenv("COMET_API_KEY", "short")
    assert redact_text("a quite&lt;secret&gt; b another-one c short", ["MY_OWN"]) == f"a {HIDDEN} b {HIDDEN} c short"


def test_a_login_that_cannot_be_read_does_not_stop_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> dict[str, str]:
        raise InvalidInput(Problem("invalid-secret", name))

    monkeypatch.setattr(redaction, "read_secret", refuse)
    assert redact_text("text", ["huggingface"]) == "text"
