"""Tokens with which a tokenizer begins and ends a text, and a digest of its vocabulary."""

from __future__ import annotations

import hashlib
from typing import Any


def adds_begin(tokenizer: Any) -> bool:
    """Return whether the tokenizer puts its begin token before a plain text."""
    return bool(tokenizer.bos_token) and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]


def end_of_turn_ids(tokenizer: Any, config: Any) -> frozenset[int]:
    """Return the ids of tokens that end an assistant's turn: `eot_tokens` and the tokenizer's end token."""
    names = list(config.get("eot_tokens") or [])
    ids = {tokenizer.convert_tokens_to_ids(name) for name in names} | {tokenizer.eos_token_id}
    return frozenset(number for number in ids if isinstance(number, int))


def vocabulary(tokenizer: Any) -> dict[str, Any]:
    """Return the number of tokens, and a digest of all tokens with their ids."""
    tokens = sorted(tokenizer.get_vocab().items())
    return {"tokens": len(tokens), "digest": hashlib.sha256(repr(tokens).encode()).hexdigest()}
