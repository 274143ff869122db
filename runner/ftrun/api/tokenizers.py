"""Properties of a tokenizer of transformers that training, evaluation and serving need."""

from __future__ import annotations

import hashlib
from typing import Any

__all__ = ["adds_begin", "vocabulary"]


def adds_begin(tokenizer: Any) -> bool:
    """Return whether the tokenizer puts its begin token before plain text."""
    return bool(tokenizer.bos_token) and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]


def vocabulary(tokenizer: Any) -> dict[str, Any]:
    """Return the number of tokens and a digest of all tokens with their ids."""
    tokens = sorted(tokenizer.get_vocab().items())
    return {"tokens": len(tokens), "digest": hashlib.sha256(repr(tokens).encode()).hexdigest()}
