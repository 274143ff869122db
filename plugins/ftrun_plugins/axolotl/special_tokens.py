"""Tokens that end an assistant's turn."""

from __future__ import annotations

from typing import Any


def end_of_turn_ids(tokenizer: Any, config: Any) -> frozenset[int]:
    """Return the ids of tokens that end an assistant's turn: `eot_tokens` and the tokenizer's end token."""
    names = list(config.get("eot_tokens") or [])
    ids = {tokenizer.convert_tokens_to_ids(name) for name in names} | {tokenizer.eos_token_id}
    return frozenset(number for number in ids if isinstance(number, int))
