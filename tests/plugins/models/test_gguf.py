from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.models.gguf import generation_settings, pre_tokenizer, tokenizer_json, tokenizer_settings


@pytest.fixture
def metadata() -> dict[str, Any]:
    """Of a model with two control tokens, one user-defined token and one merge."""
    return {
        "general.architecture": "llama",
        "llama.context_length": 8192,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": ["<|end|>", "<|start|>", "<repo>", "Ġ", "a", "Ġa"],
        "tokenizer.ggml.token_type": [3, 3, 4, 1, 1, 1],
        "tokenizer.ggml.merges": ["Ġ a"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 0,
    }


def test_smollm_splits_digits_before_words() -> None:
    steps = pre_tokenizer("smollm")["pretokenizers"]
    assert [step["type"] for step in steps] == ["Digits", "ByteLevel"]
    assert steps[0]["individual_digits"]


@pytest.mark.parametrize("pre", ["qwen2", None])
def test_an_unknown_pre_tokenizer_is_refused_by_name(metadata: dict[str, Any], pre: str | None) -> None:
    with pytest.raises(ValueError, match=rf"tokenizer\.ggml\.pre is {pre!r}; known: .*smollm"):
        tokenizer_json({**metadata, "tokenizer.ggml.pre": pre})


def test_a_sentencepiece_tokenizer_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"tokenizer\.ggml\.model is 'llama'"):
        tokenizer_json({**metadata, "tokenizer.ggml.model": "llama"})


def test_control_tokens_are_special_and_user_defined_ones_are_not(metadata: dict[str, Any]) -> None:
    added = tokenizer_json(metadata)["added_tokens"]
    assert [(token["id"], token["content"], token["special"]) for token in added] == [
        (0, "<|end|>", True),
        (1, "<|start|>", True),
        (2, "<repo>", False),
    ]


def test_vocabulary_and_merges_keep_their_order(metadata: dict[str, Any]) -> None:
    model = tokenizer_json(metadata)["model"]
    assert sorted(model["vocab"], key=model["vocab"].__getitem__) == metadata["tokenizer.ggml.tokens"]
    assert model["merges"] == [["Ġ", "a"]]


def test_special_tokens_are_those_the_file_names(metadata: dict[str, Any]) -> None:
    settings = tokenizer_settings(metadata)
    assert {key: settings.get(key) for key in ("bos_token", "eos_token", "pad_token", "unk_token")} == {
        "bos_token": "<|start|>",
        "eos_token": "<|end|>",  # id 0, which is no reason to take it for absent
        "pad_token": None,
        "unk_token": None,
    }
    assert settings["model_max_length"] == 8192


def test_generation_stops_at_the_end_of_a_turn_too(metadata: dict[str, Any]) -> None:
    assert generation_settings(metadata)["eos_token_id"] == [0]
    assert generation_settings({**metadata, "tokenizer.ggml.eot_token_id": 2})["eos_token_id"] == [0, 2]
