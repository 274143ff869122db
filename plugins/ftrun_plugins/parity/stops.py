"""Check that a served model stops at the tokens with which its trained turns end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.errors import Problem


def check_end(rows: Sequence[tuple[str, int]], folder: Path, tokenizer: Any, name: str) -> Iterator[Problem]:
    """Yield a problem for each row whose last trained token is no stop token. `rows` are pairs of place and token."""
    stops = stop_tokens(folder)
    names = ", ".join(repr(tokenizer.decode([token])) for token in sorted(stops)) or "none"
    for place, last in rows:
        if last not in stops:
            yield Problem(
                "parity",
                f"{name} does not stop at {tokenizer.decode([last])!r}, which ends the trained turn; "
                f"the saved generation config stops at {names}",
                at=place,
                hint="add it to `train.eot_tokens`, and to generation_config.json of the base model",
            )


def stop_tokens(folder: Path) -> set[int]:
    """Return the stop tokens of the saved generation config, or of the model config if there is none."""
    for file in ("generation_config.json", "config.json"):
        path = folder / file
        if path.exists():
            ids = json.loads(path.read_text()).get("eos_token_id")
            return set(ids) if isinstance(ids, list) else set() if ids is None else {ids}
    return set()
