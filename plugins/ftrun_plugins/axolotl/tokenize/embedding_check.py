"""Comparison of the tokenizer with the rows of the model's embedding.

Where the tokenizer has more tokens, axolotl adds rows to the embedding. They begin with values that no training made,
and an adapter does not train them unless `lora_modules_to_save` names the embedding.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIG = "config.json"
NAMED = 3  # tokens in the message


def describe_added_rows(model: Path, tokenizer: Any) -> str | None:
    """Return a warning about tokens for which the model has no row, or None if there are none.

    Args:
        model: Folder of the base model.
        tokenizer: The tokenizer, with the tokens that the recipe adds.
    """
    rows = _count_rows(model / CONFIG)
    missing = sorted((number, token) for token, number in tokenizer.get_vocab().items() if rows and number >= rows)
    if not missing:
        return None
    named = ", ".join(repr(token) for _, token in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return (
        f"the tokenizer has tokens for which the model has no row ({named}{more}): the trainer adds rows that begin "
        "untrained, and an adapter trains them only if train.lora_modules_to_save names the embedding"
    )


def _count_rows(file: Path) -> int | None:
    """Return the number of rows of the embedding, or None if the configuration does not say it."""
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    own = config if isinstance(config, dict) else {}
    text = own.get("text_config")
    rows = own.get("vocab_size", text.get("vocab_size") if isinstance(text, dict) else None)
    return rows if isinstance(rows, int) else None
